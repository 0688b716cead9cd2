import { PostgresAdapter, type QueryExecutorProvider } from 'kysely';

/**
 * Which database is behind a handle or a transaction. What the two do differently is said in this
 * folder and where a statement claims a row (`skip locked`), nowhere else.
 */
export function isPostgres(db: QueryExecutorProvider): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}
