import type { Command } from 'commander';
import type { QualityFlags } from './bench/quality.ts';
import type { SpeedFlags } from './bench/speed.ts';
import { wholeNumber } from './schema-option.ts';

/** `mingxi bench`: quality and speed of the product, measured through its own pipeline. */
export function benchCommand(program: Command): void {
  const bench = program.command('bench').description("Measure quality and speed through the product's own pipeline.");
  bench
    .command('quality')
    .description('PSNR, SSIM and SSIMULACRA 2 of test sets before and after, paired per picture; a Markdown table per set.')
    .option('--set <name...>', 'only these sets')
    .option('--model <name>', 'a network by name, or auto')
    .option('--limit <number>', 'pictures of each folder', wholeNumber(1))
    .option('--json <file>', 'also every figure of every picture')
    .option('--data <dir>', 'folder of the test pictures')
    .option('--cases', 'print every picture with the decision of the gate')
    .action(async (flags: QualityFlags) => {
      const { runQuality } = await import('./bench/quality.ts');
      process.exitCode = await runQuality(flags);
    });
  bench
    .command('speed')
    .description('Seconds per megapixel, peak memory and shares of the steps, with one child on all cores.')
    .option('--model <name...>', 'networks by name, e.g. the tiers; without it auto')
    .option('--sizes <list>', 'megapixels, separated by commas', '1,4,12,16.8')
    .option('--json <file>', 'also as JSON')
    .option('--repeat <number>', 'times each size, after three to warm up; the median counts', wholeNumber(1), 5)
    .option('--no-service', 'leave out what the HTTP service costs on top')
    .action(async (flags: SpeedFlags) => {
      const { runSpeed } = await import('./bench/speed.ts');
      process.exitCode = await runSpeed(flags);
    });
}
