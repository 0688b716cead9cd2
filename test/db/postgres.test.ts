import { afterAll, beforeAll } from 'vitest';
import { databaseContract } from '../contract/database.ts';
import { describeOnPostgres, type PostgresServer, postgresServer } from '../support/postgres-server.ts';
import { temporaryFolder } from '../support/temporary.ts';

describeOnPostgres('PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await postgresServer();
  });
  afterAll(() => server.close());

  databaseContract('postgres', { make: async () => ({ folder: temporaryFolder(), url: await server.createDatabase() }) });
});
