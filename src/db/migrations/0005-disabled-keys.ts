import type { Kysely, Migration } from 'kysely';

/** Keys can be switched off for a while; `revoked_at` is for good. */
export const disabledKeys: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('keys').addColumn('disabled_at', 'bigint').execute();
  },
};
