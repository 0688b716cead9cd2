import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Config, loadConfig } from '../../config.ts';
import type { PictureLimits } from '../../limits.ts';
import { createRegistry, shippedModelsDir } from '../../models/registry.ts';
import { DEFAULT_OPTIONS, type RestoreOptions } from '../../pipeline/options.ts';
import { complain, EXIT, UsageError } from '../exit.ts';
import { onInterrupt } from '../interrupt.ts';
import { commandPool, importedModelsDir } from '../pool-of.ts';
import type { RestoreFlags } from '../restore.ts';
import { Batch } from './batch.ts';
import { chooseDestination, folderOf, Placement } from './destination.ts';
import { findInputs, type Input } from './inputs.ts';
import { ProgressLine } from './progress.ts';
import { writeReport } from './record.ts';
import { makeWorkspace } from './workspace.ts';

/** A picture file on one's own disk may be large; what bounds memory is its pixels. */
const MAX_FILE_BYTES = 1024 ** 3;

/** The whole command; returns the exit status. */
export async function runRestore(args: readonly string[], flags: RestoreFlags): Promise<number> {
  const config = loadConfig();
  checkModel(config, flags);
  const inputs = await findInputs(args, flags.recursive === true, flags.output);
  if (flags.report) await checkReportFolder(flags.report);
  const destination = await chooseDestination(flags.output, inputs, flags.format);
  const options = optionsOf(flags, destination.kind === 'file' ? (destination.format ?? 'same') : 'same');
  for (const problem of inputs.missing) complain(problem);
  if (inputs.found.length === 0) return EXIT.failed;

  const workspace = makeWorkspace(folderOf(destination));
  const jobs = Math.min(flags.jobs ?? defaultJobs(config, inputs.found.length), inputs.found.length);
  const pool = commandPool(config, jobs);
  const interrupt = onInterrupt();
  try {
    await Promise.race([pool.ready(), interrupt.promise]);
    const batch = new Batch(inputs.found, options, limitsOf(config), {
      pool,
      workspace,
      placement: new Placement(destination, inputs.found, flags.force === true),
      progress: new ProgressLine(await Promise.all(inputs.found.map(weight))),
      signal: interrupt.signal,
    });
    const records = await Promise.race([batch.run(jobs), interrupt.promise]);
    if (flags.report) await writeReport(flags.report, records, inputs.several);
    return records.some((record) => 'error' in record) || inputs.missing.length > 0 ? EXIT.failed : EXIT.ok;
  } finally {
    await pool.close(0);
    workspace.remove();
    interrupt.off();
  }
}

function optionsOf(flags: RestoreFlags, standardFormat: RestoreOptions['format']): RestoreOptions {
  const given = {
    strength: flags.strength,
    face: flags.face,
    faceStrength: flags.faceStrength,
    model: flags.model,
    scale: flags.scale,
    quality: flags.quality,
    metadata: flags.stripMetadata ? ('strip' as const) : undefined,
  };
  const chosen = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { ...DEFAULT_OPTIONS, ...chosen, format: flags.format ?? standardFormat };
}

/** A wrong name or scale is the command's mistake, told once and before any picture is read. */
function checkModel(config: Config, { model = 'auto', scale = 1 }: RestoreFlags): void {
  createRegistry({ shippedDir: shippedModelsDir(), importedDir: importedModelsDir(config) }).choose(model, scale, config.model);
}

/** Found out before the work, not after it. */
async function checkReportFolder(report: string): Promise<void> {
  const folder = await stat(dirname(report)).catch(() => undefined);
  if (!folder?.isDirectory()) throw new UsageError(`--report ${report}: there is no folder ${dirname(report)}`);
}

function limitsOf(config: Config): PictureLimits {
  return {
    formats: ['jpg', 'png', 'webp', 'tiff', 'avif'],
    minSide: 1,
    maxSide: 65_535,
    maxPixels: config.v2MaxPixels,
    maxResultPixels: config.maxResultPixels,
    maxBytes: MAX_FILE_BYTES,
  };
}

/** One picture: one child with all cores. Several: as the server would. */
function defaultJobs(config: Config, pictures: number): number {
  return pictures === 1 ? 1 : config.workers;
}

async function weight(input: Input): Promise<number> {
  const found = input.path === '-' ? undefined : await stat(input.path).catch(() => undefined);
  return found?.size ?? 1;
}
