import { EXIT, Interrupted } from './exit.ts';

export interface Interrupt {
  /** Fires at the first signal, with an {@link Interrupted} as its reason. */
  readonly signal: AbortSignal;
  /** Rejects with the same. */
  readonly promise: Promise<never>;
  /** Gives the signals back their usual effect. */
  off(): void;
}

/** Turns the first signal into an orderly stop; a second one ends the process at once. */
export function onInterrupt(): Interrupt {
  const control = new AbortController();
  const stop = (status: number) => {
    if (control.signal.aborted) process.exit(status);
    control.abort(new Interrupted(status));
  };
  const onInt = () => stop(EXIT.interrupted);
  const onTerm = () => stop(EXIT.terminated);
  const onHup = () => stop(EXIT.hungUp);
  process.on('SIGINT', onInt).on('SIGTERM', onTerm).on('SIGHUP', onHup);
  const promise = new Promise<never>((_, reject) => {
    control.signal.addEventListener('abort', () => reject(control.signal.reason), { once: true });
  });
  promise.catch(() => {});
  return { signal: control.signal, promise, off: () => process.off('SIGINT', onInt).off('SIGTERM', onTerm).off('SIGHUP', onHup) };
}
