import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { type Config, loadConfig } from '../../config.ts';
import { DEFAULT_OPTIONS, DOCUMENTED_LIMITS } from '../../pipeline/options.ts';
import type { RestoreReport } from '../../pipeline/report.ts';
import { EXIT, UsageError } from '../exit.ts';
import { onInterrupt } from '../interrupt.ts';
import { commandPool } from '../pool-of.ts';
import { makeWorkspace, type Workspace } from '../restore/workspace.ts';
import { measureService, type ServiceCost } from './service.ts';
import { sizeOf, speedPicture } from './speed-picture.ts';
import { runYardstick, YARDSTICK_GMAC } from './yardstick.ts';

export interface SpeedFlags {
  readonly model?: readonly string[];
  readonly sizes: string;
  readonly json?: string;
  readonly repeat: number;
  /** `--no-service` sets it to false. */
  readonly service: boolean;
}

/** Figures of one size: the median of its runs. */
interface SizeResult {
  /** As asked for; `auto` is the default network. */
  readonly model: string;
  readonly width: number;
  readonly height: number;
  readonly megapixels: number;
  readonly seconds: number;
  readonly secondsPerMegapixel: number;
  /** Of the child that did nothing but this size, bytes. */
  readonly peakMemory: number;
  /** Share of the whole time by step; `pool` is what the process border costs. */
  readonly shares: Readonly<Record<string, number>>;
  readonly yardstick: { readonly secondsPerMegapixel: number; readonly ratio: number };
}

/**
 * Runs before those that count, and so many seconds of them: the JavaScript engine compiles what is used often, a service's
 * pictures come after many others (1 MP, fast tier, LOG.md: 0.73 s the first, 0.30 the second, 0.16-0.18 from the sixth on).
 */
const WARM_UP = { runs: 3, seconds: 3 };

/** `mingxi bench speed`: file in, file out, one child on all cores, warm, nothing else running. */
export async function runSpeed(flags: SpeedFlags): Promise<number> {
  const sizes = parseSizes(flags.sizes);
  const models = flags.model ?? ['auto'];
  const config = loadConfig();
  const workspace = makeWorkspace(undefined);
  const interrupt = onInterrupt();
  const threads = config.threads || availableParallelism();
  const results: SizeResult[] = [];
  try {
    console.log(
      `${cpus()[0]?.model ?? 'unknown processor'}, ${threads} threads; yardstick: 64 channels × 32 convolutions, ${Math.round(YARDSTICK_GMAC)} GMAC/MP\n`,
    );
    console.log('| model | MP | s | s/MP | peak MB | yardstick s/MP | ratio | shares |\n| --- | --: | --: | --: | --: | --: | --: | --- |');
    for (const model of models) {
      for (const size of sizes) {
        const result = await measureSize(size, { model, repeat: flags.repeat }, { ...config, threads }, workspace, interrupt.signal);
        results.push(result);
        console.log(rowOf(result));
      }
    }
    const service = flags.service ? await serviceCost(flags, { ...config, threads }, workspace) : null;
    if (service) console.log(`\n${serviceLine(service)}`);
    const processor = cpus()[0]?.model ?? null;
    if (flags.json) await writeFile(flags.json, `${JSON.stringify({ threads, processor, sizes: results, service }, null, 1)}\n`);
    return EXIT.ok;
  } finally {
    workspace.remove();
    interrupt.off();
  }
}

async function measureSize(
  megapixels: number,
  { model, repeat }: { readonly model: string; readonly repeat: number },
  config: Config,
  workspace: Workspace,
  signal: AbortSignal,
): Promise<SizeResult> {
  const source = workspace.file();
  await writeFile(source, await speedPicture(megapixels));
  const { width, height } = sizeOf(megapixels);
  const pixels = (width * height) / 1e6;
  // Limits of the documented interface, but for sizes beyond it: the bench may go further than a stranger.
  const limits = { ...DOCUMENTED_LIMITS, maxSide: 65_535, maxPixels: 1e9, maxBytes: 2 ** 40 };
  const options = { ...DEFAULT_OPTIONS, model };
  let peakMemory = 0;
  const pool = commandPool(config, 1, {
    maxMemory: 2 ** 40,
    onEvent: (event) => {
      if (event.type === 'task') peakMemory = Math.max(peakMemory, event.peak);
    },
  });
  const runs: { seconds: number; timings: RestoreReport['timings'] }[] = [];
  try {
    await pool.ready();
    const run = async () => {
      const began = performance.now();
      const outcome = await pool.run({ source, result: workspace.file(), options, limits }, { signal });
      return { seconds: (performance.now() - began) / 1000, timings: outcome.report.timings };
    };
    for (let i = 0, seconds = 0; i < WARM_UP.runs || seconds < WARM_UP.seconds; i++) seconds += (await run()).seconds;
    for (let i = 0; i < repeat; i++) runs.push(await run());
  } finally {
    await pool.close(0);
  }
  const yardstick = await runYardstick(config.threads);
  const median = runs.sort((a, b) => a.seconds - b.seconds)[Math.floor(runs.length / 2)];
  if (!median) throw new UsageError('--repeat must be at least 1');
  const perMegapixel = median.seconds / pixels;
  return {
    model,
    width,
    height,
    megapixels: pixels,
    seconds: median.seconds,
    secondsPerMegapixel: perMegapixel,
    peakMemory,
    shares: sharesOf(median.seconds, median.timings),
    yardstick: { secondsPerMegapixel: yardstick, ratio: perMegapixel / yardstick },
  };
}

/** One megapixel is a common size and well below the documented file size. */
async function serviceCost(flags: SpeedFlags, config: Config, workspace: Workspace): Promise<ServiceCost> {
  const source = workspace.file();
  await writeFile(source, await speedPicture(1));
  return measureService(source, config, flags.model?.[0] ?? 'auto', flags.repeat + 2);
}

function serviceLine({ bare, served, overhead }: ServiceCost): string {
  return `service, 1 MP, one client: ${served.toFixed(3)} s over HTTP, ${bare.toFixed(3)} s in the pool: ${(overhead * 100).toFixed(1)} % overhead`;
}

function sharesOf(seconds: number, timings: RestoreReport['timings']): Record<string, number> {
  const shares = Object.fromEntries(Object.entries(timings).map(([step, time]) => [step, time / 1000 / seconds]));
  const inside = Object.values(shares).reduce((sum, share) => sum + share, 0);
  return { ...shares, pool: Math.max(0, 1 - inside) };
}

function rowOf(result: SizeResult): string {
  const shares = Object.entries(result.shares)
    .filter(([, share]) => share >= 0.01)
    .sort(([, a], [, b]) => b - a)
    .map(([step, share]) => `${step} ${Math.round(share * 100)} %`)
    .join(', ');
  const { model, megapixels, seconds, secondsPerMegapixel, peakMemory, yardstick } = result;
  const cells = [
    model,
    megapixels.toFixed(1),
    seconds.toFixed(2),
    secondsPerMegapixel.toFixed(3),
    String(Math.round(peakMemory / 2 ** 20)),
    yardstick.secondsPerMegapixel.toFixed(2),
    yardstick.ratio.toFixed(3),
    shares,
  ];
  return `| ${cells.join(' | ')} |`;
}

function parseSizes(text: string): readonly number[] {
  const sizes = text.split(',').map(Number);
  if (sizes.length > 0 && sizes.every((size) => size >= 0.01 && size <= 1000)) return sizes;
  throw new UsageError(`--sizes ${text}: expected megapixels from 0.01 to 1000, separated by commas`);
}
