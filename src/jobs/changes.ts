/** Wakes those who wait for a change of a job that this process made. */
export class Changes {
  readonly #waiting = new Map<string, Set<() => void>>();

  /** Something about the job may have changed. */
  notify(id: string): void {
    for (const wake of [...(this.#waiting.get(id) ?? [])]) wake();
  }

  /** Resolves at the next change, after so many milliseconds, or when the signal fires. Never rejects. */
  next(id: string, milliseconds: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(id) ?? new Set();
      this.#waiting.set(id, waiting);
      const wake = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        waiting.delete(wake);
        if (waiting.size === 0 && this.#waiting.get(id) === waiting) this.#waiting.delete(id);
        resolve();
      };
      const timer = setTimeout(wake, milliseconds);
      signal?.addEventListener('abort', wake, { once: true });
      waiting.add(wake);
    });
  }

  /** Wakes everyone. */
  close(): void {
    for (const id of [...this.#waiting.keys()]) this.notify(id);
  }
}
