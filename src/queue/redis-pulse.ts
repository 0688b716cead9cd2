import type { Redis } from 'ioredis';

/** A connection is asked for a sign of life this often, ms. */
const EVERY = 5_000;
/** One that gives none within this time is given up, ms. */
const SILENCE = 5_000;

/**
 * Breaks a connection off that says nothing any more, so that it is made anew. What went away without a
 * word (a pulled cable, a firewall that forgot) looks to TCP like a slow peer for a quarter of an hour, and
 * ioredis fails or keeps commands, but never doubts its connection. Not for one that blocks: it would not
 * answer before it is woken.
 */
export function keepAlive(client: Redis): void {
  let isAsking = false;
  let before = '';
  const timer = setInterval(async () => {
    const { status } = client;
    // Connected, and yet not ready at two looks: the first question was not answered.
    const isStuck = status === 'connect' && before === status;
    before = status;
    if (isStuck) return client.disconnect(true);
    if (status !== 'ready' || isAsking) return;
    isAsking = true;
    const isAlive = await answers(client);
    isAsking = false;
    if (!isAlive && client.status === 'ready') client.disconnect(true);
  }, EVERY);
  timer.unref();
  client.once('end', () => clearInterval(timer));
}

async function answers(client: Redis): Promise<boolean> {
  const answer = client.ping().then(
    () => true,
    () => false,
  );
  let late: NodeJS.Timeout | undefined;
  const silence = new Promise<boolean>((resolve) => {
    late = setTimeout(() => resolve(false), SILENCE).unref();
  });
  const isAlive = await Promise.race([answer, silence]);
  clearTimeout(late);
  return isAlive;
}
