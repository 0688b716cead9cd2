import type { Pool, PoolClient, PoolConfig } from 'pg';
import { ConfigError } from '../../config.ts';
import { optionalPackage } from '../../optional-package.ts';
import { asUnavailable, isLost, NoConnection } from './failure.ts';

/** Where the database is and how it is used. Times in milliseconds. */
export interface PostgresOptions {
  /** `postgres://USER:PASSWORD@HOST:PORT/NAME` with the driver's parameters, such as `sslmode`. */
  readonly url: string;
  /** Most connections at once. */
  readonly connections: number;
  /** One statement may take this long; 0: as long as it takes. */
  readonly timeout: number;
  /** How long to try again for a connection before a call is refused. */
  readonly patience: number;
  /** Told when a connection cannot be had or is lost. */
  readonly onFailure?: ((error: unknown) => void) | undefined;
}

/** A connection that is not made within this time is not going to be, ms. */
const CONNECT_LIMIT = 5_000;
const LEAST_CONNECT = 1_000;
/** An idle connection is closed after this time, ms: a firewall in between forgets them silently. */
const IDLE_LIMIT = 60_000;
/** A transaction whose process says nothing for this long (stopped, cut off) is ended by the server, ms: others wait for its locks. */
const IDLE_IN_TRANSACTION = 10_000;
const FIRST_WAIT = 50;
const LONGEST_WAIT = 1_000;
/** Open statements are given this long at the end, ms. */
const END_LIMIT = 3_000;
/** SQLSTATEs of a URL that is wrong: no such database, no such user or wrong password. */
const WRONG_URL = new Set(['3D000', '28P01', '28000']);
/** Type ids (pg_type): whole numbers of 64 bits and exact decimals, which the driver would hand out as text. */
const INT8 = 20;
const NUMERIC = 1700;

/**
 * Connections to PostgreSQL. A server that is restarted is waited for: no call is refused before it
 * has been away for `patience`; from then on calls are refused at once until it is back.
 */
export class Connections {
  readonly #pool: Pool;
  readonly #options: PostgresOptions;
  readonly #open = new Set<PoolClient>();
  #awaySince: number | undefined;

  private constructor(pool: Pool, options: PostgresOptions) {
    this.#pool = pool;
    this.#options = options;
    // An idle connection that is lost leaves the pool by itself; unheard, the event would end the process.
    pool.on('error', (error) => options.onFailure?.(error));
    pool.on('connect', (client) => {
      this.#open.add(client as PoolClient);
      client.on('error', () => {});
    });
    pool.on('remove', (client) => this.#open.delete(client as PoolClient));
  }

  /** Loads the driver; connects when first asked. @throws ConfigError for a malformed URL or when the package is missing */
  static async open(options: PostgresOptions): Promise<Connections> {
    checkUrl(options.url);
    const { Pool, TypeOverrides } = await optionalPackage('pg', 'MINGXI_DATABASE_URL', () => import('pg'));
    const types = new TypeOverrides();
    for (const type of [INT8, NUMERIC]) types.setTypeParser(type, Number);
    const config: PoolConfig = {
      connectionString: options.url,
      max: options.connections,
      types,
      connectionTimeoutMillis: options.timeout > 0 ? Math.min(CONNECT_LIMIT, Math.max(LEAST_CONNECT, options.timeout)) : CONNECT_LIMIT,
      idleTimeoutMillis: IDLE_LIMIT,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION,
      keepAlive: true,
      application_name: 'mingxi',
      // The server ends a slow statement itself; the driver's own limit is for a server that says nothing any more.
      ...(options.timeout > 0 ? { statement_timeout: options.timeout, query_timeout: options.timeout + 500 } : {}),
    };
    return new Connections(new Pool(config), options);
  }

  /** @throws AppError ALGORITHM_OVER_CONCURRENT when there is none to be had; ConfigError when the URL is wrong */
  async take(): Promise<PoolClient> {
    for (let wait = FIRST_WAIT; ; wait = Math.min(2 * wait, LONGEST_WAIT)) {
      try {
        const client = await this.#pool.connect();
        this.#awaySince = undefined;
        return client;
      } catch (error) {
        if (!isLost(error)) throw inWords(error);
        const now = performance.now();
        if (this.#awaySince === undefined) this.#options.onFailure?.(error);
        this.#awaySince ??= now;
        if (now + wait - this.#awaySince > this.#options.patience) throw asUnavailable(new NoConnection('no connection', { cause: error }));
        // Spread, so that a server that comes back is not met by everyone at once.
        await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random())));
      }
    }
  }

  /** Gives a connection back, or throws it away. */
  release(client: PoolClient, isBroken: boolean, error?: unknown): void {
    if (isBroken) this.#options.onFailure?.(error);
    client.release(isBroken);
    // A stopped server never answers the farewell.
    if (isBroken) socketOf(client)?.destroy();
  }

  /** Closes all; a server that does not answer is not waited for. */
  async end(): Promise<void> {
    const cut = setTimeout(() => {
      for (const client of this.#open) socketOf(client)?.destroy();
    }, END_LIMIT);
    await this.#pool.end();
    clearTimeout(cut);
  }
}

function checkUrl(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isRight = url && /^postgres(ql)?:$/.test(url.protocol) && url.pathname.length > 1;
  // Not repeated in the message: there is a password in it.
  if (!isRight) throw new ConfigError(['MINGXI_DATABASE_URL: expected postgres://USER:PASSWORD@HOST[:PORT]/DATABASE']);
}

function inWords(error: unknown): unknown {
  const { code, message } = error as { code?: string; message: string };
  return WRONG_URL.has(code ?? '') ? new ConfigError([`MINGXI_DATABASE_URL: PostgreSQL refuses it: ${message}`]) : error;
}

/** The driver has no public way to drop a connection that does not answer. */
function socketOf(client: PoolClient): { destroy(): void } | undefined {
  return (client as unknown as { connection?: { stream?: { destroy(): void } } }).connection?.stream;
}
