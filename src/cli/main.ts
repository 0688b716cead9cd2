#!/usr/bin/env node
import { Command } from 'commander';
import { packageVersion } from '../version.ts';
import { benchCommand } from './bench.ts';
import { configCommand } from './config.ts';
import { doctorCommand } from './doctor.ts';
import { exitCodeOf } from './exit.ts';
import { keysCommand } from './keys.ts';
import { modelsCommand } from './models.ts';
import { restoreCommand } from './restore.ts';
import { serveCommand } from './serve.ts';
import { usageCommand } from './usage.ts';

const program = new Command('mingxi')
  .description('Image-quality restoration on your own machines.')
  .version(packageVersion(), '-V, --version')
  .addHelpText('after', '\n  test [--cluster]        set up and run every test (only from a checkout: ./mingxi test)')
  .exitOverride();

for (const register of [
  serveCommand,
  restoreCommand,
  keysCommand,
  usageCommand,
  modelsCommand,
  benchCommand,
  doctorCommand,
  configCommand,
]) {
  register(program);
}

// A reader that stops early (`| head`) is no failure worth a stack trace.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}
