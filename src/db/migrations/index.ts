import type { Migration } from 'kysely';
import { keys } from './0001-keys.ts';
import { jobs } from './0002-jobs.ts';
import { takeovers } from './0003-takeovers.ts';
import { turns } from './0004-turns.ts';
import { disabledKeys } from './0005-disabled-keys.ts';
import { facts } from './0006-facts.ts';
import { cluster } from './0007-cluster.ts';

/** Every migration in order. A published one is never changed: the next change is a new file here. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-keys': keys,
  '0002-jobs': jobs,
  '0003-takeovers': takeovers,
  '0004-turns': turns,
  '0005-disabled-keys': disabledKeys,
  '0006-facts': facts,
  '0007-cluster': cluster,
};
