import type { Command } from 'commander';
import { RestoreOptions } from '../pipeline/options.ts';
import { schemaOption, wholeNumber } from './schema-option.ts';

/** What the command line of `restore` can say; undefined where it was silent. */
export interface RestoreFlags {
  readonly output: string;
  readonly recursive?: true;
  readonly strength?: number;
  readonly face?: RestoreOptions['face'];
  readonly faceStrength?: number;
  readonly model?: string;
  readonly scale?: RestoreOptions['scale'];
  readonly quality?: number;
  readonly format?: RestoreOptions['format'];
  readonly stripMetadata?: true;
  readonly report?: string;
  readonly jobs?: number;
  readonly force?: true;
}

/** `mingxi restore`: the pipeline without a server. */
export function restoreCommand(program: Command): void {
  const { properties } = RestoreOptions;
  program
    .command('restore')
    .description('Restore pictures: files, folders, globs, or - for standard input.')
    .argument('<input...>', 'pictures, folders, globs, or -')
    .requiredOption('-o, --output <out>', 'a file, a folder, or - for standard output')
    .option('-r, --recursive', 'go into the folders of folders; their structure is kept')
    .addOption(schemaOption('--strength <number>', properties.strength))
    .addOption(schemaOption('--face <when>', properties.face))
    .addOption(schemaOption('--face-strength <number>', properties.faceStrength, "the model card's"))
    .addOption(schemaOption('--model <name>', properties.model))
    .addOption(schemaOption('--scale <factor>', properties.scale))
    .addOption(schemaOption('--quality <number>', properties.quality))
    .addOption(schemaOption('--format <format>', properties.format, 'by the ending of OUT, else same'))
    .option('--strip-metadata', 'leave out EXIF and XMP; the colour profile stays')
    .option('--report <file>', 'write what was found and done as JSON: one report, or an array for several pictures')
    .option('-j, --jobs <number>', 'pictures restored at once', wholeNumber(1))
    .option('-f, --force', 'allow a result to replace its own source')
    .action(async (inputs: string[], flags: RestoreFlags) => {
      const { runRestore } = await import('./restore/run.ts');
      process.exitCode = await runRestore(inputs, flags);
    });
}
