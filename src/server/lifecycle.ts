/** Whether the server takes new work, and how much it still has in hand. */
export interface Lifecycle {
  readonly draining: boolean;
  readonly active: number;
  /** Counts one piece of work; call the answer once when it has ended. */
  enter(): () => void;
  /** From now on new work is refused. */
  drain(): void;
  /** Resolves when no work is in hand, or after `timeout` milliseconds; tells whether all ended. */
  idle(timeout: number): Promise<boolean>;
}

/** State of one server. */
export function createLifecycle(): Lifecycle {
  let draining = false;
  let active = 0;
  const waiting = new Set<() => void>();
  return {
    get draining() {
      return draining;
    },
    get active() {
      return active;
    },
    enter() {
      active++;
      let left = false;
      return () => {
        if (left) return;
        left = true;
        active--;
        if (active === 0) for (const resolve of waiting) resolve();
      };
    },
    drain() {
      draining = true;
    },
    async idle(timeout) {
      if (active === 0) return true;
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        waiting.add(resolve);
        timer = setTimeout(resolve, timeout);
      });
      clearTimeout(timer);
      waiting.clear();
      return active === 0;
    },
  };
}
