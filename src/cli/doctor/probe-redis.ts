import { optionalPackage } from '../../optional-package.ts';
import { type Probe, placeOf, reasonOf, timed } from './probe.ts';

/** Connecting, or an answer, may take this long, ms. */
const LIMIT = 3_000;

/**
 * Looks at a Redis or Valkey.
 * @param keeps whether what is in it must not get lost: then it must neither evict nor forget it at a restart
 */
export async function probeRedis(part: Probe['part'], url: string, variable: string, keeps: boolean): Promise<Probe> {
  const found = { part, kind: 'Redis', place: placeOf(url), shared: true } as const;
  const { Redis } = await optionalPackage('ioredis', variable, () => import('ioredis'));
  const client = new Redis(url, { lazyConnect: true, connectTimeout: LIMIT, commandTimeout: LIMIT, retryStrategy: () => null });
  let failure: unknown;
  client.on('error', (error) => {
    failure = error;
  });
  try {
    await client.connect();
    const { value, milliseconds, skewOf } = await timed(() => client.time());
    const [seconds = 0, microseconds = 0] = value.map(Number);
    const facts = factsOf(await client.info());
    const policy = facts.maxmemory_policy ?? 'unknown';
    return {
      ...found,
      kind: facts.valkey_version === undefined ? 'Redis' : 'Valkey',
      reachable: true,
      version: facts.valkey_version ?? facts.redis_version ?? 'unknown',
      milliseconds,
      skew: skewOf(seconds * 1000 + microseconds / 1000),
      details: keeps ? [`eviction ${policy}`, `append-only file ${facts.aof_enabled === '1' ? 'on' : 'off'}`] : [],
      notes:
        keeps && facts.aof_enabled !== '1'
          ? ['the queue: Redis forgets announcements when it restarts (appendonly no); jobs are found again, some seconds later']
          : [],
      problems:
        keeps && policy !== 'noeviction' && Number(facts.maxmemory) > 0
          ? [`the queue: Redis may evict what it holds (maxmemory-policy ${policy}); set noeviction`]
          : [],
    };
  } catch (error) {
    return {
      ...found,
      reachable: false,
      details: [],
      notes: [],
      problems: [`${part}: Redis cannot be used: ${reasonOf(failure ?? error)}`],
    };
  } finally {
    client.disconnect();
  }
}

/** `name:value` lines. */
function factsOf(info: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...info.matchAll(/^([a-z_]+):(.*?)\r?$/gm)].map(([, name = '', value = '']) => [name, value]));
}
