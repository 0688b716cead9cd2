import { rename, writeFile } from 'node:fs/promises';
import type { AppError } from '../../errors.ts';
import type { RestoreReport } from '../../pipeline/report.ts';

/** What `--report` says of one picture: the report with its paths, or why there is none. */
export type PictureRecord =
  | ({ readonly input: string; readonly output: string } & RestoreReport)
  | { readonly input: string; readonly error: { readonly code: number | null; readonly name: string; readonly message: string } };

/** The record of a picture that failed. */
export function failureRecord(input: string, error: AppError | Error): PictureRecord {
  const spec = 'spec' in error ? error.spec : undefined;
  const name = 'kind' in error ? error.kind : 'FILE_ERROR';
  return { input, error: { code: spec?.code ?? null, name, message: error.message } };
}

/** One object for a single picture, an array where there could be several. Written beside, then renamed. */
export async function writeReport(path: string, records: readonly PictureRecord[], several: boolean): Promise<void> {
  const content = several ? records : (records[0] ?? []);
  await writeFile(`${path}.partial`, `${JSON.stringify(content, null, 2)}\n`);
  await rename(`${path}.partial`, path);
}
