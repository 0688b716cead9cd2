import type { Kysely, Migration } from 'kysely';

/** Facts that all processes of one database must agree on. */
export const facts: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('facts')
      .addColumn('name', 'varchar(64)', (column) => column.primaryKey())
      .addColumn('value', 'text', (column) => column.notNull())
      .execute();
  },
};
