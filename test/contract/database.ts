import { describe } from 'vitest';
import { accountingContract } from './database/accounting.ts';
import { callbacksContract } from './database/callbacks.ts';
import { jobsContract } from './database/jobs.ts';
import { keysContract } from './database/keys.ts';
import { processesContract } from './database/processes.ts';
import type { DatabaseUnderTest } from './database/under-test.ts';

/** What everything that is kept in the database promises, whichever database it is. */
export function databaseContract(name: string, adapter: DatabaseUnderTest): void {
  describe(`database contract: ${name}`, () => {
    describe('keys', () => keysContract(adapter));
    describe('quotas and usage', () => accountingContract(adapter));
    describe('jobs', () => jobsContract(adapter));
    describe('callbacks', () => callbacksContract(adapter));
    describe('between processes', () => processesContract(adapter));
  });
}
