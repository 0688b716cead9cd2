import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../../app.ts';
import { type Config, loadConfig } from '../../config.ts';
import { DEFAULT_OPTIONS, DOCUMENTED_LIMITS } from '../../pipeline/options.ts';
import { Failure } from '../exit.ts';

/** What the service costs on top of the pipeline: medians of the same picture, seconds. */
export interface ServiceCost {
  /** In the pool, by path. */
  readonly bare: number;
  /** Through HTTP, base64 in and out. */
  readonly served: number;
  /** (served − bare) / bare. */
  readonly overhead: number;
}

/** Starts the service on a free port with a folder of its own, and asks it and its pool in turn for the same picture. */
export async function measureService(source: string, config: Config, model: string, repeat: number): Promise<ServiceCost> {
  const data = await mkdtemp(join(tmpdir(), 'mingxi-bench-'));
  const app = await createApp({ ...loadConfig({}, { data, port: 0, logLevel: 'silent', workers: 1 }), threads: config.threads });
  try {
    const { url } = await app.start();
    const { key, secret } = await app.keys.create({ name: 'bench' });
    const body = JSON.stringify({ media_info_list: [{ media_data: (await readFile(source)).toString('base64') }], parameter: { model } });
    const served = async () => {
      const answer = await fetch(`${url}/v1/aiquality?api_key=${key.id}&api_secret=${secret}`, { method: 'POST', body });
      const text = await answer.text();
      if (answer.status !== 200) throw new Failure(`the service answered ${answer.status}: ${text.slice(0, 200)}`);
    };
    const task = { source, result: join(data, 'result.jpg'), options: { ...DEFAULT_OPTIONS, model }, limits: DOCUMENTED_LIMITS };
    const bare = async () => void (await app.restorer.run(task));
    const times = { bare: [] as number[], served: [] as number[] };
    // The first of each warms up; alternating keeps what else the machine does out of the comparison.
    for (let i = 0; i <= repeat; i++) {
      for (const [name, work] of [['bare', bare] as const, ['served', served] as const]) {
        const began = performance.now();
        await work();
        if (i > 0) times[name].push((performance.now() - began) / 1000);
      }
    }
    const [bareTime, servedTime] = [median(times.bare), median(times.served)];
    return { bare: bareTime, served: servedTime, overhead: servedTime / bareTime - 1 };
  } finally {
    await app.close();
    await rm(data, { recursive: true, force: true });
  }
}

/** The middle value of an unsorted list. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
