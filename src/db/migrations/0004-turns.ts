import type { Kysely, Migration } from 'kysely';

/** When each job was last taken, and the indexes by which keys take turns. */
export const turns: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('jobs').addColumn('claimed_at', 'bigint').execute();
    // A claim reads the first entry of its state and key in this order; counts by state are served by it too.
    await db.schema.createIndex('jobs_turn').on('jobs').columns(['state', 'key_id', 'available_at', 'created_at']).execute();
    await db.schema.createIndex('jobs_claimed').on('jobs').columns(['key_id', 'claimed_at']).execute();
    await db.schema.dropIndex('jobs_open').execute();
  },
};
