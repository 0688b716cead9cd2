import type { Begun, JobQueue, News, Take } from '../../src/queue/contract.ts';
import { pause, until } from '../support/until.ts';

/** What the database is to the product: says which job is next, and gives it to one process. */
export class Ledger {
  readonly #waiting: { id: string; due: () => boolean }[] = [];
  readonly #endless: (() => void)[] = [];
  readonly by = new Map<string, string>();
  readonly ended: string[] = [];
  #running = 0;
  most = 0;

  add(id: string, due: () => boolean = () => true): void {
    this.#waiting.push({ id, due });
  }

  /** Takes the next job that is due and is at it for so many milliseconds. */
  take(who: string, milliseconds = 5): Take {
    return async (): Promise<Begun | undefined> => {
      const next = this.#waiting.findIndex(({ due }) => due());
      const [job] = next < 0 ? [] : this.#waiting.splice(next, 1);
      if (!job) return undefined;
      this.by.set(job.id, who);
      this.most = Math.max(this.most, ++this.#running);
      const work = Number.isFinite(milliseconds)
        ? pause(milliseconds).then(() => true)
        : new Promise<boolean>((resolve) => this.#endless.push(() => resolve(false)));
      const done = work.then((isWhole) => {
        this.#running--;
        if (isWhole) this.ended.push(job.id);
      });
      return { done };
    };
  }

  /** Lets go of what would be run for ever. */
  release(): void {
    for (const end of this.#endless) end();
  }
}

export interface Ears {
  readonly news: News[];
  looks: number;
  knows(id: string, state: string): boolean;
}

/** States as the database has them; who tells writes there first. */
export type States = Map<string, string>;

export function listening(queue: JobQueue, states: States): Ears {
  const news: News[] = [];
  const ears: Ears = { news, looks: 0, knows: (id, state) => news.some((one) => one.id === id && one.state === state) };
  queue.listen({
    news: (one) => news.push(one),
    look: () => {
      ears.looks++;
      for (const [id, state] of states) news.push({ id, state });
    },
  });
  return ears;
}

/** Announces until the queue takes it: its server comes back, or its connection is made anew. */
export function announced(queue: JobQueue, id: string): Promise<true> {
  return until(() =>
    queue.announce(id).then(
      () => true,
      () => false,
    ),
  );
}

export function tell(queue: JobQueue, states: States, id: string, state: string): Promise<void> {
  states.set(id, state);
  return queue.tell({ id, state });
}

/** Subscribing takes a moment: waits until a message arrives. */
export async function settled(sender: JobQueue, states: States, heard: readonly Ears[]): Promise<void> {
  await until(async () => {
    await tell(sender, states, 'test', 'queued');
    await pause(20);
    return heard.every((ears) => ears.knows('test', 'queued'));
  });
}
