import type { Command } from 'commander';

export interface DoctorFlags {
  readonly data?: string;
  readonly json?: true;
  /** `--no-measure` sets it to false. */
  readonly measure: boolean;
  readonly cluster?: true;
}

/** `mingxi doctor`: what runs here and how well; exit 1 when something needed is broken. */
export function doctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('What is installed, which providers there are, disk, limits, networks, and thread advice from a measurement.')
    .option('--data <dir>', 'data folder')
    .option('--no-measure', 'leave out the measurement (about ten seconds)')
    .option('--cluster', 'instead: what several machines share (database, queue, picture store, rate limits), its versions and clocks')
    .option('--json', 'as JSON')
    .action(async (flags: DoctorFlags) => {
      if (flags.cluster) {
        const { runClusterDoctor } = await import('./doctor/cluster.ts');
        process.exitCode = await runClusterDoctor(flags);
        return;
      }
      const { runDoctor } = await import('./doctor/run.ts');
      process.exitCode = await runDoctor(flags);
    });
}
