/**
 * Mingxi as a library: restoration in child processes, without a server.
 * @example
 * const restorer = await createRestorer();
 * const { data, report } = await restorer.restore('holiday.jpg', { strength: 0.8 });
 * await restorer.close();
 */
export { AppError, ERRORS, type ErrorName, type ErrorSpec } from './errors.ts';
export { createRestorer, type Input, type RestoreCall, type Restored, type Restorer, type RestorerOptions } from './library.ts';
export type { PictureLimits, SourceFormat } from './limits.ts';
export type { RestoreOptions } from './pipeline/options.ts';
export type { RestoreReport } from './pipeline/report.ts';
