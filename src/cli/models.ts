import type { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { createRegistry, type Registry, shippedModelsDir } from '../models/registry.ts';
import { EXIT, UsageError } from './exit.ts';
import { importedModelsDir } from './pool-of.ts';
import { printJson, printTable } from './print.ts';

interface Flags {
  readonly data?: string;
  readonly json?: true;
}

/** `mingxi models`: which networks there are, what they are worth, whether their files are whole. */
export function modelsCommand(program: Command): void {
  const models = program.command('models').description('The networks: list, card, verify.');
  const withFlags = (command: Command) => command.option('--data <dir>', 'data folder').option('--json', 'as JSON');
  withFlags(models.command('list').description('Names, tasks, licences and costs.')).action(list);
  withFlags(models.command('card <name>').description('The model card: measured figures, data, licence.')).action(card);
  withFlags(models.command('verify').description('Compare every file with the checksum of its manifest; exit 1 when one differs.')).action(
    verify,
  );
}

function list(flags: Flags): void {
  const config = loadConfig(process.env, { data: flags.data });
  const rows = registryOf(flags)
    .list()
    .map(({ manifest, origin }) => ({
      name: manifest.name,
      version: manifest.version,
      task: manifest.task,
      scale: manifest.scale,
      default: manifest.name === config.model,
      origin,
      parameters: manifest.cost.parameters,
      gmac_per_megapixel: manifest.cost.gmacPerMegapixel,
      licence: manifest.licence.weights,
      data_licences: manifest.licence.data,
      description: manifest.description,
    }));
  if (flags.json) {
    printJson(rows);
    return;
  }
  printTable(
    ['name', 'version', 'task', 'parameters', 'GMAC/MP', 'licence', 'description'],
    rows.map((row) => [
      row.default ? `${row.name} (default)` : row.name,
      row.version,
      row.task,
      row.parameters.toLocaleString('en'),
      String(row.gmac_per_megapixel),
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
