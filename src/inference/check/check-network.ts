import type { Completed, Draft } from '../../models/draft.ts';
import { dryRun } from './dry-run.ts';
import { checkStructure } from './structure.ts';

/**
 * Whether a file is the network its owner says it is: structure first, then a run on small pictures.
 * The bytes are a stranger's: call it in a process of its own, with limits.
 * @throws AppError PROCESS_ERROR saying what was expected and what was received
 */
export async function checkNetwork(file: Uint8Array, draft: Draft): Promise<Completed> {
  const completed = checkStructure(file, draft);
  await dryRun(file, draft, completed);
  return completed;
}
