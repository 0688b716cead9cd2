import type { Generated, Kysely } from 'kysely';
import type { JobTables } from './job-tables.ts';

/**
 * The tables as TypeScript sees them. Times are whole milliseconds since 1970, lists and objects
 * are JSON text, flags are 0 or 1: types that SQLite and Postgres hold alike.
 */
export interface Tables extends JobTables {
  keys: KeyTable;
  facts: FactTable;
}

/** Handle of the database, as every store takes it. */
export type Db = Kysely<Tables>;

/** API keys; the secret as a hash for comparison and encrypted for signatures. */
export interface KeyTable {
  id: string;
  name: string;
  /** JSON array of scope names. */
  scopes: string;
  secret_hash: string;
  secret_sealed: string;
  qps: number | null;
  daily_limit: number | null;
  monthly_limit: number | null;
  /** Unfinished calls and jobs at once. */
  concurrent_limit: number | null;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
  /** Switched off since then; null once it is on again. */
  disabled_at: number | null;
  last_used_at: number | null;
  /** Grows with every rotation. */
  version: Generated<number>;
}

/** What all processes of one database must agree on, by name. */
export interface FactTable {
  name: string;
  value: string;
}
