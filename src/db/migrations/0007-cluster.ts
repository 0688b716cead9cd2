import type { Kysely, Migration } from 'kysely';

/** Pictures of synchronous calls in the queue, how much work a job is, and the processes that work. */
export const cluster: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .alterTable('jobs')
      .addColumn('kind', 'varchar(8)', (column) => column.notNull().defaultTo('job'))
      .execute();
    await db.schema
      .alterTable('jobs')
      .addColumn('megapixels', 'double precision', (column) => column.notNull().defaultTo(1))
      .execute();
    // A claim reads the first entry of its state, kind and key in this order.
    await db.schema.createIndex('jobs_kind_turn').on('jobs').columns(['state', 'kind', 'key_id', 'available_at', 'created_at']).execute();
    await db.schema.dropIndex('jobs_turn').execute();
    // The age of the oldest, and counts by state.
    await db.schema.createIndex('jobs_oldest').on('jobs').columns(['state', 'available_at']).execute();
    await db.schema
      .createTable('workers')
      .addColumn('id', 'varchar(200)', (column) => column.primaryKey())
      .addColumn('slots', 'integer', (column) => column.notNull())
      .addColumn('speed', 'double precision', (column) => column.notNull())
      .addColumn('beat', 'bigint', (column) => column.notNull())
      .addColumn('seen_at', 'bigint', (column) => column.notNull())
      .execute();
  },
};
