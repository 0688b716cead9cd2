import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../config.ts';
import type { PictureLimits } from '../../limits.ts';
import { DEFAULT_OPTIONS } from '../../pipeline/options.ts';
import type { Pool } from '../../workers/pool.ts';
import { complain, EXIT, UsageError } from '../exit.ts';
import { onInterrupt } from '../interrupt.ts';
import { commandPool } from '../pool-of.ts';
import { ProgressLine } from '../restore/progress.ts';
import { makeWorkspace, type Workspace } from '../restore/workspace.ts';
import { decodeRgb } from './pixels.ts';
import { createScorers, type Scorers } from './scorers.ts';
import { type Case, casesOf, missingFolders, TEST_SETS, type TestSet } from './sets.ts';
import { type Measured, markdownTable, summarise } from './summary.ts';

export interface QualityFlags {
  readonly set?: readonly string[];
  readonly model?: string;
  readonly limit?: number;
  readonly json?: string;
  readonly data?: string;
  readonly cases?: true;
}

/** Beside the checkout, where the test pictures lie if they lie anywhere. */
const STANDARD_DATA = fileURLToPath(new URL('../../../../shared/data/test', import.meta.url));

/** Test pictures are our own: nothing to protect from. */
const NO_LIMITS: PictureLimits = { formats: ['jpg', 'png'], minSide: 1, maxSide: 65_535, maxPixels: 1e9, maxBytes: 2 ** 40 };

/** `mingxi bench quality`: files in, files out, through the same pool as every other picture. */
export async function runQuality(flags: QualityFlags): Promise<number> {
  const data = flags.data ?? STANDARD_DATA;
  if (!existsSync(data)) throw new UsageError(`there are no test pictures at ${data}; --data says where they are`);
  const sets = chooseSets(flags.set).filter((set) => isThere(set, data));
  const config = loadConfig();
  const workspace = makeWorkspace(undefined);
  const pool = commandPool(config, config.workers);
  const scorers = createScorers(availableParallelism());
  const interrupt = onInterrupt();
  try {
    await pool.ready();
    const measured: Measured[] = [];
    for (const set of sets) {
      const found = await measureSet(set, {
        data,
        limit: flags.limit ?? Infinity,
        model: flags.model ?? 'auto',
        ahead: config.workers + availableParallelism(),
        pool,
        scorers,
        workspace,
        signal: interrupt.signal,
      });
      measured.push(...found);
      console.log(`\n${set.about}\n\n${markdownTable(summarise(found))}`);
      if (flags.cases) for (const one of found) console.log(caseLine(one));
    }
    if (flags.json) await writeFile(flags.json, `${JSON.stringify({ summary: summarise(measured), pictures: measured }, null, 1)}\n`);
    return EXIT.ok;
  } finally {
    await Promise.all([pool.close(0), scorers.close()]);
    workspace.remove();
    interrupt.off();
  }
}

interface Bench {
  readonly data: string;
  readonly limit: number;
  readonly model: string;
  /** Cases in work at once. */
  readonly ahead: number;
  readonly pool: Pool;
  readonly scorers: Scorers;
  readonly workspace: Workspace;
  readonly signal: AbortSignal;
}

/** Keeps every child and every measuring thread busy, and one more case prepared. */
async function measureSet(set: TestSet, bench: Bench): Promise<Measured[]> {
  const running = new Set<Promise<void>>();
  const measured: Measured[] = [];
  const progress = new ProgressLine([1]);
  let count = 0;
  for await (const one of casesOf(set, bench.data, bench.limit)) {
    bench.signal.throwIfAborted();
    const index = count++;
    const work = measure(one, set, bench).then((result) => {
      measured[index] = result;
      running.delete(work);
    });
    // Whoever is awaited first reports; the others must not end the process unheard.
    work.catch(() => {});
    running.add(work);
    progress.update(0, 0, `${set.name} ${one.picture} ${one.condition}`);
    if (running.size > bench.ahead) await Promise.race(running);
  }
  await Promise.all(running);
  progress.clear();
  return measured;
}

async function measure(one: Case, set: TestSet, { pool, scorers, workspace, model, signal }: Bench): Promise<Measured> {
  const source = workspace.file();
  const result = workspace.file();
  await writeFile(source, one.source);
  const began = performance.now();
  const outcome = await pool.run({ source, result, options: { ...DEFAULT_OPTIONS, model, format: 'png' }, limits: NO_LIMITS }, { signal });
  const seconds = (performance.now() - began) / 1000;
  const before = await decodeRgb(one.source);
  const after = await decodeRgb(result);
  await Promise.all([rm(source), rm(result)]);
  return {
    set: one.set,
    condition: one.condition,
    picture: one.picture,
    ...(await scorers.score({ before, after, reference: one.reference, metric: set.metric })),
    gate: outcome.report.gate.action,
    reason: outcome.report.gate.reason,
    model: outcome.report.model,
    seconds,
  };
}

function chooseSets(names: readonly string[] | undefined): readonly TestSet[] {
  if (!names) return TEST_SETS;
  return names.map((name) => {
    const found = TEST_SETS.find((set) => set.name === name);
    if (!found) throw new UsageError(`there is no set ${name}; there are: ${TEST_SETS.map((set) => set.name).join(', ')}`);
    return found;
  });
}

function isThere(set: TestSet, data: string): boolean {
  const missing = missingFolders(set, data);
  if (missing.length > 0) complain(`${set.name}: no folder ${missing.join(', ')} in ${data}`);
  return missing.length < set.folders.length;
}

function caseLine(one: Measured): string {
  const decibel = (value: number | null) => (value === null ? 'equal' : value.toFixed(2));
  return `${one.picture} ${one.condition}: ${decibel(one.input)} → ${decibel(one.result)} dB; ${one.gate} (${one.reason})`;
}
