import type { CompiledQuery, DatabaseConnection, Driver, QueryResult, TransactionSettings } from 'kysely';
import type { PoolClient } from 'pg';
import { Connections, type PostgresOptions } from './connections.ts';
import { asUnavailable, isLost } from './failure.ts';

/**
 * PostgreSQL under Kysely. What is lost with a connection and safe to say again is said again on
 * another one: a read outside a transaction, and the beginning of a transaction. A write may have
 * been done before the connection was lost; whether it may be repeated is its caller's to know
 * (see transact.ts).
 */
export class PostgresDriver implements Driver {
  readonly #options: PostgresOptions;
  #connections: Connections | undefined;

  constructor(options: PostgresOptions) {
    this.#options = options;
  }

  async init(): Promise<void> {
    this.#connections = await Connections.open(this.#options);
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    const connections = this.#connections;
    if (!connections) throw new Error('the database is closed');
    return new PostgresConnection(connections, await connections.take());
  }

  async beginTransaction(connection: DatabaseConnection, { isolationLevel, accessMode }: TransactionSettings): Promise<void> {
    const words = ['begin', isolationLevel && `isolation level ${isolationLevel}`, accessMode].filter(Boolean);
    await ours(connection).begin(words.join(' '));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await ours(connection).commit();
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await ours(connection).rollback();
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    ours(connection).release();
  }

  async destroy(): Promise<void> {
    const connections = this.#connections;
    this.#connections = undefined;
    await connections?.end();
  }
}

/** One connection as Kysely sees it; the one beneath may be replaced while nothing depends on it. */
class PostgresConnection implements DatabaseConnection {
  readonly #connections: Connections;
  #client: PoolClient | undefined;
  #inTransaction = false;
  /** Why nothing more can be said on it. */
  #lost: { readonly error: unknown } | undefined;

  constructor(connections: Connections, client: PoolClient) {
    this.#connections = connections;
    this.#client = client;
  }

  executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const isRead = !this.#inTransaction && query.query.kind === 'SelectQueryNode';
    return this.#say<R>(query.sql, query.parameters, isRead);
  }

  async begin(sql: string): Promise<void> {
    await this.#say(sql, [], true);
    this.#inTransaction = true;
  }

  async commit(): Promise<void> {
    await this.#say('commit', [], false);
    this.#inTransaction = false;
  }

  /** Never fails: what cannot be said is done by the server when the connection is thrown away. */
  async rollback(): Promise<void> {
    if (this.#lost) return;
    await this.#say('rollback', [], false).then(
      () => {
        this.#inTransaction = false;
      },
      () => {},
    );
  }

  release(): void {
    const client = this.#client;
    this.#client = undefined;
    if (client) this.#connections.release(client, this.#lost !== undefined || this.#inTransaction, this.#lost?.error);
  }

  // biome-ignore lint/correctness/useYield: a stream that cannot be had throws when it is asked for.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('streams of rows are not offered');
  }

  async #say<R>(sql: string, parameters: readonly unknown[], isRepeatable: boolean): Promise<QueryResult<R>> {
    try {
      return await this.#once<R>(sql, parameters);
    } catch (error) {
      if (!this.#lost || !isRepeatable) throw asUnavailable(error);
      await this.#replace();
      return await this.#once<R>(sql, parameters).catch((again) => Promise.reject(asUnavailable(again)));
    }
  }

  async #once<R>(sql: string, parameters: readonly unknown[]): Promise<QueryResult<R>> {
    const answered = this.#client && this.#connections.watch(this.#client);
    try {
      if (!this.#client) throw new Error('Connection terminated');
      const { command, rowCount, rows } = await this.#client.query(sql, parameters.map(storable));
      const isWrite = command === 'INSERT' || command === 'UPDATE' || command === 'DELETE';
      return { rows: rows as R[], ...(isWrite ? { numAffectedRows: BigInt(rowCount ?? 0) } : {}) };
    } catch (error) {
      if (isLost(error)) this.#lost = { error };
      throw error;
    } finally {
      answered?.();
    }
  }

  async #replace(): Promise<void> {
    this.release();
    this.#client = await this.#connections.take();
    this.#lost = undefined;
  }
}

/** PostgreSQL's text has no U+0000; a stranger's text with one must be as unknown here as it is in SQLite, and no error. */
function storable(value: unknown): unknown {
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value;
}

const ours = (connection: DatabaseConnection) => connection as PostgresConnection;
