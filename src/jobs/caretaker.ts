import type { JobQueue } from '../queue/contract.ts';
import { isGone } from './owner.ts';
import { Silence } from './silence.ts';
import type { JobStore } from './store.ts';

export interface CaretakerDeps {
  readonly store: JobStore;
  readonly queue: JobQueue;
}

export interface CaretakerOptions {
  /** The name of the process that cares. */
  readonly owner: string;
  /** A process that says nothing for this long is taken for dead, ms. */
  readonly lease: number;
  /** Claims and begins jobs without having been told of them. */
  readonly helpYourself: () => Promise<void>;
  readonly onError: (error: unknown, job?: string) => void;
}

/** Time between two looks, ms. */
export const LOOK_EVERY = 3_000;
/** Looks that are farther apart prove nothing about the silence of others, ms. */
const LONGEST_GAP = 3 * LOOK_EVERY;
/** Waiting jobs that are announced again at one look, at most. */
const ANNOUNCED_AT_ONCE = 200;

/**
 * Finds what was left lying: jobs whose process is gone, and jobs that wait without an announcement.
 * Every process that works looks; the database gives each find to one of them.
 */
export class Caretaker {
  readonly #deps: CaretakerDeps;
  readonly #options: CaretakerOptions;
  readonly #silence: Silence;
  /** Waiting jobs at the last look for which there was no announcement. */
  #lacked = 0;

  constructor(deps: CaretakerDeps, options: CaretakerOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#silence = new Silence(options.lease, LONGEST_GAP);
  }

  async look(): Promise<void> {
    const { store, queue } = this.#deps;
    const { owner, onError } = this.#options;
    const isSilent = this.#silence.look();
    const { queued, failed } = await store.recover((run) => {
      const silent = isSilent(run);
      return silent || isGone(run.owner, owner);
    });
    for (const id of failed) await queue.tell({ id, state: 'failed' }).catch((error) => onError(error, id));
    for (const id of queued) await this.#announce(id);
    await this.#announceForgotten();
  }

  /**
   * An announcement is lost with the queue's server, or with a process that ends between accepting a
   * job and announcing it. A lack that is seen once may be one that is about to be made up for. While
   * the server is away each process helps itself.
   */
  async #announceForgotten(): Promise<void> {
    const { store, queue } = this.#deps;
    let announced: number | undefined;
    try {
      announced = await queue.announced();
    } catch (error) {
      this.#options.onError(error);
      return this.#options.helpYourself();
    }
    if (announced === undefined) return;
    const { count, oldest } = await store.waiting(ANNOUNCED_AT_ONCE);
    const lack = Math.max(0, count - announced);
    const missing = Math.min(lack, this.#lacked, oldest.length);
    this.#lacked = lack;
    for (const id of oldest.slice(0, missing)) await this.#announce(id);
  }

  async #announce(id: string): Promise<void> {
    await this.#deps.queue.announce(id).catch((error) => this.#options.onError(error, id));
  }
}
