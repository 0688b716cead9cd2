import type { Run } from './store.ts';

/**
 * Finds out whose leases are no longer renewed, by this process's own clock alone: a lease is over
 * when what is written in it has not changed for so long, not when some machine's clock says so.
 * Looks that are far apart prove nothing, because the owner had no chance to be seen (the database
 * was away, or this process was stopped): then counting begins anew.
 */
export class Silence {
  readonly #lease: number;
  readonly #longestGap: number;
  readonly #now: () => number;
  readonly #seen = new Map<string, { readonly beat: string; readonly since: number }>();
  #last = Number.NEGATIVE_INFINITY;

  /**
   * @param lease milliseconds of silence after which an owner is taken for dead
   * @param longestGap milliseconds between two looks that still belong together
   */
  constructor(lease: number, longestGap: number, now: () => number = () => performance.now()) {
    this.#lease = lease;
    this.#longestGap = longestGap;
    this.#now = now;
  }

  /** Begins a look at all running jobs; the answer judges one of them. */
  look(): (run: Run) => boolean {
    const time = this.#now();
    if (time - this.#last > this.#longestGap) this.#seen.clear();
    this.#last = time;
    const before = new Map(this.#seen);
    this.#seen.clear();
    return ({ id, beat }) => {
      const known = before.get(id);
      const since = known?.beat === beat ? known.since : time;
      this.#seen.set(id, { beat, since });
      return time - since >= this.#lease;
    };
  }
}
