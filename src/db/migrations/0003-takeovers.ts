import type { Kysely, Migration } from 'kysely';

/** How often a job was taken over from a process that was gone, apart from its attempts. */
export const takeovers: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .alterTable('jobs')
      .addColumn('takeovers', 'integer', (column) => column.notNull().defaultTo(0))
      .execute();
  },
};
