import { AppError } from '../errors.ts';

/** What admission looks at: everything already accepted, and the newcomer. Times in seconds. */
export interface Load {
  readonly children: number;
  /** Pictures that are accepted and not done. */
  readonly open: number;
  /** Pictures that may wait for a child. */
  readonly queueLimit: number;
  /** Cost still to be done for accepted pictures, running and waiting. */
  readonly backlog: number;
}

/** Share of a caller's patience that may be promised away: pictures differ, and estimates lag behind the machine. */
const PROMISED = 0.75;

/** True when a child could start the newcomer now. */
export function isFree(load: Load): boolean {
  return load.open < load.children;
}

/** Seconds until a newcomer would start: the backlog shared out among the children. */
export function expectedWait(load: Load): number {
  return isFree(load) ? 0 : load.backlog / Math.max(1, load.children);
}

/** The load that a newcomer meets behind so many pictures which are still being received, of so many seconds each. */
export function behind(places: number, seconds: number, load: Load): Load {
  return { ...load, open: load.open + places, backlog: load.backlog + places * seconds };
}

/**
 * Lets a picture in, or refuses it while refusing is still cheap for the client.
 * A picture that need not wait is never refused: an estimate must not lock out what has not been tried.
 * @param cost seconds that the newcomer itself nearly always takes at most
 * @param timeout the caller's patience in milliseconds, if it has a limit
 * @throws AppError ALGORITHM_OVER_CONCURRENT with `retryAfter`
 */
export function admit(load: Load, cost: number, timeout: number | undefined): void {
  if (isFree(load)) return;
  const wait = expectedWait(load);
  const waiting = load.open - load.children;
  if (waiting >= load.queueLimit) throw refusal(`The queue is full: ${waiting} of at most ${load.queueLimit} pictures wait.`, wait);
  if (timeout !== undefined && wait + cost > (timeout / 1000) * PROMISED) {
    const limit = (timeout / 1000).toFixed(1);
    throw refusal(
      `The queue is too long: an answer would take about ${(wait + cost).toFixed(1)} s, which is too close to the limit of ${limit} s.`,
      wait,
    );
  }
}

/** The answer to a picture that was let in, waited, and cannot be done in time any more. */
export function givenUp(wait: number): AppError {
  return refusal('The queue has become too slow for an answer within the time allowed.', wait);
}

/** The answer to a picture that was still computed when its caller's time (ms) was up. */
export function tookTooLong(timeout: number): AppError {
  return new AppError('GATEWAY_TIMEOUT', `The restoration took longer than the ${(timeout / 1000).toFixed(1)} s allowed.`);
}

/** The answer to everything that comes after the pool began to close. */
export function closing(): AppError {
  return new AppError('ALGORITHM_OVER_CONCURRENT', 'The service is shutting down.', { retryAfter: 5 });
}

function refusal(message: string, wait: number): AppError {
  return new AppError('ALGORITHM_OVER_CONCURRENT', message, { retryAfter: Math.max(1, Math.ceil(wait)) });
}
