import type { RestoreTask } from '../pipeline/options.ts';
import type { RestoreOutcome } from '../pipeline/report.ts';
import type { Place } from './places.ts';

export interface RunOptions {
  /** Aborting kills the child that computes; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Milliseconds from the call until the child is killed and GATEWAY_TIMEOUT is thrown. */
  readonly timeout?: number;
  /** Pixels of the source, when the caller has read its header: makes the expected wait exact. */
  readonly pixels?: number;
  /** Whose picture it is, where several machines share the work: keys take turns. */
  readonly key?: string;
  /** Called with 0…1, once per finished tile at most. */
  readonly onProgress?: (progress: number) => void;
}

/** What the server, the job runner, the CLI and the library see of the process pool. */
export interface Restorer {
  /**
   * Restores one picture in a child process. Waits in a bounded queue for a free child.
   * @throws AppError ALGORITHM_OVER_CONCURRENT at once when the queue cannot be served within the
   * timeout, or as soon as that is seen later; GATEWAY_TIMEOUT when the time is up; PROCESS_ERROR
   * when the child died; the picture's own code (IMAGE_DECODE_ERROR, …) when the pipeline refused it.
   */
  run(task: RestoreTask, options?: RunOptions): Promise<RestoreOutcome>;
  /**
   * A look before a picture is received: passes when one of the usual cost would be let in, behind those
   * that a place is kept for.
   * @param timeout the caller's patience in milliseconds
   * @throws AppError ALGORITHM_OVER_CONCURRENT
   */
  checkRoom(timeout?: number): void;
  /**
   * The same, and keeps a place for the picture; for two seconds at most. To be given up when the picture
   * is handed to `run`, or will not come.
   */
  keepPlace(timeout?: number): Place;
  stats(): RestorerStats;
  /** Refuses new work, waits for accepted work up to the grace period (ms), then kills. */
  close(grace?: number): Promise<void>;
}

export interface RestorerStats {
  readonly children: number;
  readonly running: number;
  readonly waiting: number;
  readonly finished: number;
  readonly failed: number;
  readonly restarts: number;
  /** Estimated seconds until a task submitted now would start. */
  readonly expectedWait: number;
}
