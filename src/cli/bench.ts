import type { Command } from 'commander';

/** `mingxi bench`: quality and speed of the product, measured through its own pipeline. */
export function benchCommand(program: Command): void {
  program.command('bench').description('Measure quality and speed through the product’s own pipeline.');
}
