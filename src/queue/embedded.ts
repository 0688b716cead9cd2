import { join } from 'node:path';
import type { JobQueue, Listener, Take } from './contract.ts';
import { createSignalFile } from './signal-file.ts';
import { Slots } from './slots.ts';

export interface EmbeddedOptions {
  /** Folder that all processes of the machine share. */
  readonly folder: string;
  /** Milliseconds between looks for work that no signal told of. Default 1000. */
  readonly pollMs?: number;
  readonly onError: (error: unknown) => void;
}

/** Files by which processes wake each other: those that work, and those that wait. */
const WORK = 'work.signal';
const NEWS = 'news.signal';

/**
 * The queue without a server: workers look into the database when they are woken, by an announcement
 * in their own process or by another process of the machine through a touched file, and once a second
 * in case that neither came through.
 */
export async function createEmbeddedQueue(options: EmbeddedOptions): Promise<JobQueue> {
  let slots: Slots | undefined;
  let poll: NodeJS.Timeout | undefined;
  let listener: Listener | undefined;
  const delayed = new Set<NodeJS.Timeout>();
  const work = await createSignalFile(join(options.folder, WORK), () => slots?.fill(), options.onError);
  const news = await createSignalFile(join(options.folder, NEWS), () => listener?.look(), options.onError);
  const wake = () => {
    slots?.fill();
    work.ring();
  };
  const rest = async () => {
    clearInterval(poll);
    await slots?.close();
  };
  return {
    async announce(_id, delay = 0) {
      if (delay <= 0) return wake();
      const timer = setTimeout(() => {
        delayed.delete(timer);
        wake();
      }, delay);
      timer.unref();
      delayed.add(timer);
    },
    work(take: Take, count: number) {
      slots = new Slots(take, count);
      poll = setInterval(() => slots?.fill(), options.pollMs ?? 1000);
      poll.unref();
      slots.fill();
    },
    rest,
    async tell(change) {
      listener?.news(change);
      news.ring();
    },
    listen(one) {
      listener = one;
    },
    announced: async () => undefined,
    async close() {
      for (const timer of delayed) clearTimeout(timer);
      delayed.clear();
      await rest();
      work.close();
      news.close();
    },
  };
}
