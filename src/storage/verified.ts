import { createHash } from 'node:crypto';
import { finished, type Readable, Transform } from 'node:stream';

/** What a body must be. */
export interface Expected {
  readonly bytes: number;
  /** Lower-case hex; undefined for a part of an object, whose own hash is not known. */
  readonly sha256: string | undefined;
}

/**
 * The same bytes, checked: a body that breaks off, is too short or long, was changed, or pauses for
 * longer than `patience` milliseconds ends in an error instead of an end. The last chunk is held back
 * until the hash is known, so that a receiver of a wrong body never has all of it.
 * @param wrap turns what went wrong into the error the receiver sees
 */
export function verified(source: Readable, expected: Expected, patience: number, wrap: (error: unknown) => Error): Readable {
  const hash = createHash('sha256');
  let bytes = 0;
  let held: Buffer | undefined;
  const check = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      timer.refresh();
      hash.update(chunk);
      bytes += chunk.length;
      const previous = held;
      held = chunk;
      done(null, previous);
    },
    flush(done) {
      const sha256 = hash.digest('hex');
      if (bytes !== expected.bytes) return done(wrap(new Error(`the body has ${bytes} bytes instead of ${expected.bytes}`)));
      if (expected.sha256 !== undefined && sha256 !== expected.sha256) return done(wrap(new Error('the body is not what was stored')));
      done(null, held);
    },
  });
  // A receiver that does not read leaves chunks waiting: that pause is not the store's.
  const timer = setInterval(() => {
    if (check.readableLength === 0) check.destroy(wrap(new Error(`the body paused for more than ${patience} ms`)));
  }, patience);
  finished(source, (error) => {
    if (error) check.destroy(wrap(error));
  });
  check.once('close', () => {
    clearInterval(timer);
    source.destroy();
  });
  return source.pipe(check);
}
