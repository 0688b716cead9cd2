import type { Take } from './contract.ts';

/** Keeps a number of slots filled, as long as `take` has work to give. */
export class Slots {
  readonly #take: Take;
  readonly #count: number;
  #busy = 0;
  #filling: Promise<void> | undefined;
  #again = false;
  #closed = false;

  constructor(take: Take, count: number) {
    this.#take = take;
    this.#count = count;
  }

  /** Looks for work now; a call during a look makes for another look after it. */
  fill(): void {
    if (this.#filling) {
      this.#again = true;
      return;
    }
    this.#filling = this.#fill().finally(() => {
      this.#filling = undefined;
      if (!this.#again) return;
      this.#again = false;
      this.fill();
    });
  }

  /** Takes no more; resolves when no look is going on. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#filling;
  }

  async #fill(): Promise<void> {
    while (!this.#closed && this.#busy < this.#count) {
      const begun = await this.#take();
      if (!begun) return;
      this.#busy++;
      void begun.done.then(() => {
        this.#busy--;
        this.fill();
      });
    }
  }
}
