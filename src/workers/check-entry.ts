/** The program of the process that looks at a stranger's network file: one check, one message, end. */
import { readFileSync } from 'node:fs';
import { toAppError } from '../errors.ts';
import { checkNetwork } from '../inference/check/check-network.ts';
import type { CheckAnswer, CheckOrder } from './check-model.ts';
import { dieWithParent } from './watchdog.ts';

const order = JSON.parse(process.argv[2] ?? '{}') as CheckOrder;
await dieWithParent();
process.send?.(await answer(), () => process.exit());

async function answer(): Promise<CheckAnswer> {
  try {
    return { completed: await checkNetwork(readFileSync(order.file), order.draft) };
  } catch (error) {
    const { kind, message } = toAppError(error);
    return { refused: kind === 'PROCESS_ERROR' ? message : 'The network is refused: the check itself failed on it.' };
  }
}
