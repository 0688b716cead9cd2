#!/usr/bin/env node
import { Command } from 'commander';
import { packageVersion } from '../version.ts';
import { exitCodeOf } from './exit.ts';

/** Every command and where it is; only the one that is asked for is loaded, and all of them for the help. */
const COMMANDS: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  serve: async () => (await import('./serve.ts')).serveCommand,
  restore: async () => (await import('./restore.ts')).restoreCommand,
  keys: async () => (await import('./keys.ts')).keysCommand,
  usage: async () => (await import('./usage.ts')).usageCommand,
  db: async () => (await import('./db.ts')).dbCommand,
  models: async () => (await import('./models.ts')).modelsCommand,
  bench: async () => (await import('./bench.ts')).benchCommand,
  doctor: async () => (await import('./doctor.ts')).doctorCommand,
  config: async () => (await import('./config.ts')).configCommand,
};

// A reader that stops early (`| head`) is no failure worth a stack trace.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const program = new Command('mingxi')
  .description('Image-quality restoration on your own machines.')
  .version(packageVersion(), '-V, --version')
  .addHelpText('after', '\n  test [--cluster]     set up and run every test (only from a checkout: ./mingxi test)')
  .exitOverride();

try {
  const asked = COMMANDS[process.argv[2] ?? ''];
  for (const load of asked ? [asked] : Object.values(COMMANDS)) (await load())(program);
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}
