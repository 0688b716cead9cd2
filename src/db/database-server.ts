import type { Config } from '../config.ts';
import type { DatabaseServer } from './database.ts';

/** Milliseconds a service waits at its start for a database that is not there yet. */
const START_PATIENCE = 30_000;

export interface ServerSurroundings {
  /** Checked against the one the database was begun with. */
  readonly serverKey?: Buffer;
  /** Told when a connection cannot be had or is lost. */
  readonly onFailure?: (error: unknown) => void;
  /** Aborted when the process is about to end. */
  readonly ending?: AbortSignal;
  /** Milliseconds; default 30 s. A command says at once that there is no database. */
  readonly startPatience?: number;
}

/** The database rows of the configuration; undefined: the embedded database. */
export function databaseServerOf(
  config: Pick<Config, 'databaseUrl' | 'databaseConnections' | 'databaseTimeout'>,
  { startPatience = START_PATIENCE, ...surroundings }: ServerSurroundings = {},
): DatabaseServer | undefined {
  if (config.databaseUrl === '') return undefined;
  const timeout = Math.ceil(config.databaseTimeout * 1000);
  return {
    ...surroundings,
    ...{ url: config.databaseUrl, connections: config.databaseConnections },
    ...{ timeout, patience: timeout, startPatience },
  };
}
