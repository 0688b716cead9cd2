import type { Command } from 'commander';
import { environmentName, loadConfig, VARIABLES, type VariableName } from '../config.ts';
import { printJson, printTable } from './print.ts';

/** `mingxi config`: the effective configuration, secrets hidden. */
export function configCommand(program: Command): void {
  program
    .command('config')
    .description('Print the effective configuration; secrets are hidden.')
    .option('--data <dir>', 'data folder')
    .option('--json', 'as JSON')
    .action((flags: { data?: string; json?: true }) => {
      const config = loadConfig(process.env, { data: flags.data });
      const rows = (Object.keys(VARIABLES) as VariableName[]).map((name) => ({ name, shown: hidden(name, config[name]) }));
      if (flags.json) return printJson(Object.fromEntries(rows.map(({ name, shown }) => [environmentName(name), shown])));
      printTable(
        ['variable', 'value', 'meaning'],
        rows.map(({ name, shown }) => [environmentName(name), Array.isArray(shown) ? shown.join(',') : String(shown), VARIABLES[name].doc]),
      );
    });
}

function hidden(name: VariableName, value: unknown): unknown {
  const variable = VARIABLES[name];
  return 'secret' in variable && variable.secret && value !== '' ? '***' : value;
}
