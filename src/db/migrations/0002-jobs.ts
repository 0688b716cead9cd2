import { type Kysely, type Migration, sql } from 'kysely';

/** Asynchronous jobs, callbacks, quotas, usage; a limit of unfinished requests per key. */
export const jobs: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('keys').addColumn('concurrent_limit', 'integer').execute();
    await db.schema
      .createTable('jobs')
      .addColumn('id', 'varchar(64)', (column) => column.primaryKey())
      .addColumn('key_id', 'varchar(64)', (column) => column.notNull())
      .addColumn('state', 'varchar(16)', (column) => column.notNull())
      .addColumn('pictures', 'text', (column) => column.notNull())
      .addColumn('wire', 'text', (column) => column.notNull())
      .addColumn('results', 'text')
      .addColumn('progress', 'double precision', (column) => column.notNull().defaultTo(0))
      .addColumn('attempts', 'integer', (column) => column.notNull().defaultTo(0))
      .addColumn('owner', 'varchar(200)')
      .addColumn('lease_until', 'bigint')
      .addColumn('available_at', 'bigint', (column) => column.notNull())
      .addColumn('error', 'varchar(64)')
      .addColumn('message', 'text')
      .addColumn('callback_url', 'text')
      .addColumn('idempotency_key', 'varchar(255)')
      .addColumn('fingerprint', 'varchar(64)')
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('started_at', 'bigint')
      .addColumn('finished_at', 'bigint')
      .addColumn('expires_at', 'bigint', (column) => column.notNull())
      .execute();
    // A claim reads the first entry of its state in this order.
    await db.schema.createIndex('jobs_open').on('jobs').columns(['state', 'available_at', 'created_at']).execute();
    await db.schema.createIndex('jobs_expiry').on('jobs').column('expires_at').execute();
    await sql`create unique index jobs_idempotency on jobs (key_id, idempotency_key) where idempotency_key is not null`.execute(db);
    await db.schema
      .createTable('callbacks')
      .addColumn('id', 'varchar(64)', (column) => column.primaryKey())
      .addColumn('job_id', 'varchar(64)', (column) => column.notNull().unique().references('jobs.id').onDelete('cascade'))
      .addColumn('attempts', 'integer', (column) => column.notNull().defaultTo(0))
      .addColumn('next_at', 'bigint')
      .execute();
    await db.schema.createIndex('callbacks_due').on('callbacks').column('next_at').execute();
    await db.schema
      .createTable('reservations')
      .addColumn('id', 'varchar(64)', (column) => column.primaryKey())
      .addColumn('key_id', 'varchar(64)', (column) => column.notNull())
      .addColumn('pictures', 'integer', (column) => column.notNull())
      .addColumn('day', 'varchar(10)', (column) => column.notNull())
      .addColumn('expires_at', 'bigint')
      .execute();
    await db.schema.createIndex('reservations_key').on('reservations').column('key_id').execute();
    await db.schema.createIndex('reservations_expiry').on('reservations').column('expires_at').execute();
    await db.schema
      .createTable('quotas')
      .addColumn('key_id', 'varchar(64)', (column) => column.notNull())
      .addColumn('period', 'varchar(10)', (column) => column.notNull())
      .addColumn('used', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('quotas_key', ['key_id', 'period'])
      .execute();
    await db.schema
      .createTable('usage')
      .addColumn('key_id', 'varchar(64)', (column) => column.notNull())
      .addColumn('day', 'varchar(10)', (column) => column.notNull())
      .addColumn('pictures', 'bigint', (column) => column.notNull())
      .addColumn('megapixels', 'double precision', (column) => column.notNull())
      .addColumn('seconds', 'double precision', (column) => column.notNull())
      .addPrimaryKeyConstraint('usage_key', ['key_id', 'day'])
      .execute();
    await db.schema
      .createTable('usage_failures')
      .addColumn('key_id', 'varchar(64)', (column) => column.notNull())
      .addColumn('day', 'varchar(10)', (column) => column.notNull())
      .addColumn('code', 'integer', (column) => column.notNull())
      .addColumn('count', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('usage_failures_key', ['key_id', 'day', 'code'])
      .execute();
  },
};
