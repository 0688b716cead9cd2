import { type Command, Option } from 'commander';
import { loadConfig } from '../config.ts';
import { TASKS } from '../models/card.ts';
import { Scale } from '../models/manifest.ts';
import { PRESETS } from '../models/presets.ts';
import { createRegistry, type Registry, shippedModelsDir } from '../models/registry.ts';
import { EXIT, UsageError } from './exit.ts';
import { addModel, removeImported } from './models/add.ts';
import { importedModelsDir } from './pool-of.ts';
import { printJson, printTable } from './print.ts';
import { schemaOption } from './schema-option.ts';

interface Flags {
  readonly data?: string;
  readonly json?: true;
}

/** `mingxi models`: which networks there are, what they are worth, whether their files are whole. */
export function modelsCommand(program: Command): void {
  const models = program.command('models').description('The networks: list, card, verify; add and remove your own.');
  const withFlags = (command: Command) => command.option('--data <dir>', 'data folder').option('--json', 'as JSON');
  withFlags(models.command('list').description('Names, tasks, licences and costs.')).action(list);
  withFlags(models.command('card <name>').description('The model card: measured figures, data, licence.')).action(card);
  withFlags(models.command('verify').description('Compare every file with the checksum of its manifest; exit 1 when one differs.')).action(
    verify,
  );
  withFlags(
    models.command('add <file>').description('Check an ONNX file in a process of its own and register it; nothing half-registered stays.'),
  )
    .option('--manifest <file>', 'what the network is, as JSON (docs/guide/models.md)')
    .addOption(new Option('--preset <name>', 'the usual export of a well-known network').choices(Object.keys(PRESETS)))
    .option('--name <name>', 'name to register it under')
    .addOption(schemaOption('--scale <factor>', { ...Scale, description: 'enlargement of the network, where the preset has several' }))
    .action(addModel);
  withFlags(models.command('remove <name>').description('Remove an imported network.')).action(removeImported);
}

/** Which variable names the network of a task of the face stage. */
const FACE_CHOICE = { face: 'faceModel', 'face-detect': 'faceDetector' } as const;

function list(flags: Flags): void {
  const config = loadConfig(process.env, { data: flags.data });
  const registry = registryOf(flags);
  const used = (['face', 'face-detect'] as const).map((task) => registry.forFaces(task, config[FACE_CHOICE[task]])?.manifest.name);
  const rows = registry.list().map(({ manifest, origin }) => ({
    name: manifest.name,
    version: manifest.version,
    task: manifest.task,
    scale: manifest.scale,
    tier: manifest.tier?.level ?? null,
    default: manifest.name === config.model,
    origin,
    parameters: manifest.cost.parameters,
    gmac_per_megapixel: manifest.cost.gmacPerMegapixel ?? null,
    precisions: [...new Set(manifest.networks.map((network) => network.precision ?? 'fp32'))],
    used: manifest.task === 'restore' || used.includes(manifest.name),
    licence: manifest.licence.weights,
    data_licences: manifest.licence.data,
    description: manifest.description,
  }));
  if (flags.json) {
    printJson(rows);
    return;
  }
  printTable(
    ['name', 'version', 'origin', 'for', 'scale', 'parameters', 'GMAC/MP', 'precision', 'licence', 'description'],
    rows.map((row) => [
      row.default ? `${row.name} (default)` : row.tier ? `${row.name} (${row.tier})` : row.name,
      row.version,
      row.origin,
      TASKS[row.task],
      `×${row.scale}`,
      row.parameters.toLocaleString('en'),
      row.gmac_per_megapixel === null ? '–' : String(row.gmac_per_megapixel),
      row.precisions.join(', '),
      row.licence,
      row.description,
    ]),
  );
}

function card(name: string, flags: Flags): void {
  const registry = registryOf(flags);
  const text = registry.card(name);
  if (text === undefined) throw new UsageError(`the model ${name} has no card`);
  if (flags.json) printJson({ name, card: text, manifest: registry.get(name).manifest });
  else process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

function verify(flags: Flags): void {
  const results = registryOf(flags).verify();
  if (flags.json) printJson(results);
  else
    printTable(
      ['name', 'result'],
      results.map((result) => [result.name, result.ok ? 'ok' : `FAILED: ${result.problem}`]),
    );
  if (results.length === 0 || results.some((result) => !result.ok)) process.exitCode = EXIT.failed;
}

function registryOf(flags: Flags): Registry {
  const config = loadConfig(process.env, { data: flags.data });
  return createRegistry({ shippedDir: shippedModelsDir(), importedDir: importedModelsDir(config) });
}
