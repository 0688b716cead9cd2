import { stat } from 'node:fs/promises';
import { AppError } from '../../errors.ts';
import type { PictureLimits } from '../../limits.ts';
import type { RestoreOptions } from '../../pipeline/options.ts';
import type { Pool } from '../../workers/pool.ts';
import { complain, describe, UsageError } from '../exit.ts';
import type { Placement } from './destination.ts';
import type { Input } from './inputs.ts';
import type { ProgressLine } from './progress.ts';
import { failureRecord, type PictureRecord } from './record.ts';
import { stdinToFile, type Workspace } from './workspace.ts';

/** What a batch works with. */
export interface BatchTools {
  readonly pool: Pool;
  readonly workspace: Workspace;
  readonly placement: Placement;
  readonly progress: ProgressLine;
  readonly signal: AbortSignal;
}

/** A list of pictures, worked off by so many at once; a bad one is reported and the rest go on. */
export class Batch {
  readonly #inputs: readonly Input[];
  readonly #options: RestoreOptions;
  readonly #limits: PictureLimits;
  readonly #tools: BatchTools;
  readonly #records: PictureRecord[] = [];
  #next = 0;

  constructor(inputs: readonly Input[], options: RestoreOptions, limits: PictureLimits, tools: BatchTools) {
    this.#inputs = inputs;
    this.#options = options;
    this.#limits = limits;
    this.#tools = tools;
  }

  async run(jobs: number): Promise<readonly PictureRecord[]> {
    await Promise.all(Array.from({ length: jobs }, () => this.#workOff()));
    this.#tools.progress.clear();
    return this.#records;
  }

  async #workOff(): Promise<void> {
    for (let index = this.#next++; index < this.#inputs.length && !this.#tools.signal.aborted; index = this.#next++) {
      const input = this.#inputs[index];
      if (input) this.#records[index] = await this.#restoreOrReport(input, index);
      this.#tools.progress.finish(index);
    }
  }

  async #restoreOrReport(input: Input, index: number): Promise<PictureRecord> {
    try {
      return await this.#restore(input, index);
    } catch (error) {
      this.#tools.signal.throwIfAborted();
      const failure = error instanceof Error ? error : new Error(String(error));
      this.#tools.progress.clear();
      complain(`${input.path}: ${failure instanceof AppError ? describe(failure) : failure.message}`);
      return failureRecord(input.path, failure);
    }
  }

  async #restore(input: Input, index: number): Promise<PictureRecord> {
    const { pool, workspace, placement, progress, signal } = this.#tools;
    const { format } = this.#options;
    placement.reserve(input, format === 'same' ? undefined : format);
    const source = input.path === '-' ? workspace.file() : input.path;
    if (input.path === '-') await stdinToFile(source, this.#limits.maxBytes);
    else if (!(await stat(source)).isFile()) throw new UsageError('is not a regular file');
    const result = workspace.file();
    const outcome = await pool.run(
      { source, result, options: this.#options, limits: this.#limits },
      { signal, onProgress: (part) => progress.update(index, part, input.path) },
    );
    const output = await placement.place(result, input, outcome.format);
    for (const warning of outcome.report.warnings) {
      progress.clear();
      complain(`${input.path}: ${warning}`);
    }
    return { input: input.path, output, ...outcome.report };
  }
}
