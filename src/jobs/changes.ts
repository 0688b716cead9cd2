export interface ChangesOptions {
  /** A text for each of these jobs that differs when the job has changed. */
  readonly marks: (ids: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  /** Milliseconds between looks at what is waited for, for changes that no message told of. */
  readonly every: number;
  readonly onError: (error: unknown) => void;
}

/**
 * Wakes those who wait for a change of a job. Changes are told; because a message may be lost with the
 * server that carries it, all jobs that are waited for are also looked at now and again, in one
 * statement however many wait.
 */
export class Changes {
  readonly #options: ChangesOptions;
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #marks = new Map<string, string | undefined>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;

  constructor(options: ChangesOptions) {
    this.#options = options;
  }

  /** Something about the job may have changed. */
  notify(id: string): void {
    for (const wake of [...(this.#waiting.get(id) ?? [])]) wake();
  }

  /** Resolves at the next change or when the signal fires. Never rejects. */
  next(id: string, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(id) ?? new Set();
      this.#waiting.set(id, waiting);
      const wake = () => {
        signal?.removeEventListener('abort', wake);
        waiting.delete(wake);
        if (waiting.size === 0 && this.#waiting.get(id) === waiting) this.#waiting.delete(id);
        resolve();
      };
      signal?.addEventListener('abort', wake, { once: true });
      waiting.add(wake);
      this.#watch();
    });
  }

  /** Looks now at everything that is waited for. */
  look(): void {
    if (this.#waiting.size === 0) return;
    this.#looking ??= this.#look()
      .catch(this.#options.onError)
      .finally(() => {
        this.#looking = undefined;
      });
  }

  /** Wakes everyone. */
  close(): void {
    clearInterval(this.#timer);
    for (const id of [...this.#waiting.keys()]) this.notify(id);
  }

  async #look(): Promise<void> {
    const ids = [...this.#waiting.keys()];
    const marks = await this.#options.marks(ids);
    for (const id of ids) {
      const isNew = !this.#marks.has(id);
      const before = this.#marks.get(id);
      this.#marks.set(id, marks.get(id));
      // What was not known before may have changed since its reader looked.
      if (isNew || marks.get(id) !== before) this.notify(id);
    }
  }

  /** The timer lives as long as somebody waits. */
  #watch(): void {
    if (this.#timer) return;
    this.#timer = setInterval(() => {
      for (const id of this.#marks.keys()) if (!this.#waiting.has(id)) this.#marks.delete(id);
      if (this.#waiting.size > 0) return this.look();
      clearInterval(this.#timer);
      this.#timer = undefined;
    }, this.#options.every);
    this.#timer.unref();
  }
}
