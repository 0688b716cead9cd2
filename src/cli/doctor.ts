import type { Command } from 'commander';

/** `mingxi doctor`: what runs here and how well. */
export function doctorCommand(program: Command): void {
  program.command('doctor').description('What runs here and how well.');
}
