import { afterAll, beforeAll } from 'vitest';
import { openDatabase } from '../../src/db/database.ts';
import { databaseServerOf } from '../../src/db/database-server.ts';
import { databaseContract } from '../contract/database.ts';
import { describeOnPostgres, type PostgresServer, postgresServer } from '../support/postgres-server.ts';
import { temporaryFolder } from '../support/temporary.ts';

describeOnPostgres('PostgreSQL', () => {
  let server: PostgresServer;
  /** One database is emptied for every test: to make one takes seconds on a busy disk. */
  let url: string;
  let tables: string;
  beforeAll(async () => {
    server = await postgresServer();
    url = await server.createDatabase();
    const db = await openDatabase('', databaseServerOf({ databaseUrl: url, databaseConnections: 2, databaseTimeout: 60 }));
    tables = (await db.introspection.getTables()).map(({ name }) => name).join(', ');
    await db.destroy();
  });
  afterAll(() => server.close());

  databaseContract('postgres', {
    async make() {
      await server.query(`truncate ${tables}`, url);
      return { folder: temporaryFolder(), url };
    },
    makeBare: async () => ({ folder: temporaryFolder(), url: await server.createDatabase() }),
  });
});
