import { PassThrough, type Readable } from 'node:stream';
import type { Job } from '../../jobs/job.ts';
import { isFinal } from '../../jobs/states.ts';

export interface EventOptions {
  /** Job now and after each change, until it has ended. */
  readonly changes: AsyncIterable<Job>;
  readonly view: (job: Job) => Promise<unknown>;
  /** Ends the stream: the client has gone. */
  readonly signal: AbortSignal;
  /** Ends the stream too: the server is shutting down, and an open stream would hold it up. */
  readonly isDraining: () => boolean;
}

/** Proxies cut connections that are silent for half a minute or so. */
const HEARTBEAT = 15_000;
const LOOK = 500;

/**
 * Server-sent events of one job (WHATWG HTML §9.2): `progress` while it goes on, `end` once, each with
 * the job as JSON. A client whose stream breaks asks for the job itself; no event is needed twice.
 */
export function jobEvents(options: EventOptions): Readable {
  const stream = new PassThrough();
  let silent = 0;
  const timer = setInterval(() => {
    silent += LOOK;
    if (options.isDraining()) stream.end();
    else if (silent >= HEARTBEAT) {
      silent = 0;
      stream.write(': still here\n\n');
    }
  }, LOOK);
  const write = async () => {
    for await (const job of options.changes) {
      if (stream.writableEnded || options.signal.aborted) return;
      const event = isFinal(job.state) ? 'end' : 'progress';
      silent = 0;
      stream.write(`event: ${event}\ndata: ${JSON.stringify(await options.view(job))}\n\n`);
    }
  };
  write()
    .catch((error: unknown) => stream.destroy(error instanceof Error ? error : new Error('events ended')))
    .finally(() => {
      clearInterval(timer);
      if (!stream.destroyed) stream.end();
    });
  return stream;
}
