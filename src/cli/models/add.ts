import { loadConfig } from '../../config.ts';
import { AppError } from '../../errors.ts';
import { TASKS } from '../../models/card.ts';
import { type Draft, readDraft } from '../../models/draft.ts';
import { importModel, nameFrom, removeModel } from '../../models/import.ts';
import type { Manifest, Scale } from '../../models/manifest.ts';
import { presetDraft } from '../../models/presets.ts';
import { createRegistry, shippedModelsDir } from '../../models/registry.ts';
import { checkModel } from '../../workers/check-model.ts';
import { Failure, UsageError } from '../exit.ts';
import { onInterrupt } from '../interrupt.ts';
import { importedModelsDir } from '../pool-of.ts';
import { printJson } from '../print.ts';

export interface AddFlags {
  readonly manifest?: string;
  readonly preset?: string;
  readonly name?: string;
  readonly scale?: Scale;
  readonly data?: string;
  readonly json?: true;
}

/** `models add`: exit 2 for wrong use, 1 for a file that is refused; then nothing has changed. */
export async function addModel(file: string, flags: AddFlags): Promise<void> {
  const config = loadConfig(process.env, { data: flags.data });
  const draft = draftOf(flags);
  const interrupt = onInterrupt();
  try {
    const manifest = await importModel({
      file,
      draft,
      name: flags.name ?? draft.name ?? flags.preset ?? nameFrom(file),
      dir: importedModelsDir(config),
      shipped: shippedNames(),
      maxBytes: config.modelMaxBytes,
      signal: interrupt.signal,
      check: (copy) =>
        checkModel(
          { file: copy, draft },
          { time: config.modelCheckTime * 1000, memory: config.modelCheckMemory, signal: interrupt.signal },
        ),
    });
    report(manifest, flags);
  } catch (error) {
    if (interrupt.signal.aborted) throw interrupt.signal.reason;
    // The refusal is the answer; the code of the wire interface says nothing to somebody at a terminal.
    if (error instanceof AppError && error.kind === 'PROCESS_ERROR') throw new Failure(error.message);
    throw error;
  } finally {
    interrupt.off();
  }
}

/** `models remove`. */
export async function removeImported(name: string, flags: { readonly data?: string; readonly json?: true }): Promise<void> {
  const config = loadConfig(process.env, { data: flags.data });
  await removeModel(importedModelsDir(config), name, shippedNames());
  if (flags.json) printJson({ removed: name });
  else process.stdout.write(`removed ${name}; a running server forgets it, too\n`);
}

function draftOf({ manifest, preset, scale }: AddFlags): Draft {
  if ((manifest === undefined) === (preset === undefined)) throw new UsageError('models add needs either --manifest or --preset');
  if (preset !== undefined) return presetDraft(preset, scale);
  const draft = readDraft(manifest ?? '');
  if (scale !== undefined && scale !== draft.scale)
    throw new UsageError(`--scale ${scale} contradicts the manifest, which says ${draft.scale}`);
  return draft;
}

const shippedNames = () =>
  createRegistry({ shippedDir: shippedModelsDir() })
    .list()
    .map((entry) => entry.manifest.name);

function report(manifest: Manifest, flags: AddFlags): void {
  if (flags.json) {
    printJson(manifest);
    return;
  }
  const { name, task, scale, licence } = manifest;
  const use = task === 'restore' ? `mingxi restore … --model ${name}${scale === 1 ? '' : ` --scale ${scale}`}` : TASKS[task];
  process.stdout.write(`added ${name} (licence of the weights: ${licence.weights})\n${use}\na running server knows it from now on\n`);
}
