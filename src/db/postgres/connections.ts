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
  /** Aborted when the process is about to end: from then on a server that does not answer is hardly waited for. */
  readonly ending?: AbortSignal | undefined;
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
/** What a process that is about to end waits for an answer, and for a connection, ms. Statements take milliseconds. */
const HURRY = 2_000;
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
  readonly #asked = new Set<Asked>();
  readonly #hurry = () => void this.#startHurrying();
  #hurries = false;
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
    if (options.ending?.aborted) this.#hurry();
    options.ending?.addEventListener('abort', this.#hurry, { once: true });
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
      const asked = performance.now();
      try {
        const client = await this.#pool.connect();
        this.#awaySince = undefined;
        return client;
      } catch (error) {
        if (!isLost(error)) throw inWords(error);
        const now = performance.now();
        if (this.#awaySince === undefined) this.#options.onFailure?.(error);
        // In a hurry the time of the first try counts, too.
        this.#awaySince ??= this.#hurries ? asked : now;
        // Spread, so that a server that comes back is not met by everyone at once.
        const pause = wait * (0.5 + Math.random());
        if (now + pause - this.#awaySince > this.#patience) throw asUnavailable(new NoConnection('no connection', { cause: error }));
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  }

  /** Watches over a statement that is said now; the answer is called when it was answered or failed. */
  watch(client: PoolClient): () => void {
    const asked: Asked = { client, cut: this.#hurries ? cutLater(client) : undefined };
    this.#asked.add(asked);
    return () => {
      clearTimeout(asked.cut);
      this.#asked.delete(asked);
    };
  }

  /** Gives a connection back, or throws it away. */
  release(client: PoolClient, isBroken: boolean, error?: unknown): void {
    if (isBroken) this.#options.onFailure?.(error);
    if (isBroken) discard(client);
    else client.release();
  }

  /** Closes all; a server that does not answer is not waited for. */
  async end(): Promise<void> {
    this.#options.ending?.removeEventListener('abort', this.#hurry);
    const cut = setTimeout(() => {
      for (const client of this.#open) socketOf(client)?.destroy();
    }, END_LIMIT);
    await this.#pool.end();
    clearTimeout(cut);
  }

  get #patience(): number {
    return this.#hurries ? Math.min(HURRY, this.#options.patience) : this.#options.patience;
  }

  /**
   * The connections at hand may all be lost without a word, and each would cost a whole time limit: those that
   * are idle are thrown away, and those that were asked something have little time left to answer. Cut, they
   * fail as lost ones do, and what can be said again is said on a new one.
   */
  async #startHurrying(): Promise<void> {
    this.#hurries = true;
    this.#pool.options.connectionTimeoutMillis = HURRY;
    for (const asked of this.#asked) asked.cut = cutLater(asked.client);
    const idle = Array.from({ length: this.#pool.idleCount }, () => this.#pool.connect().catch(() => undefined));
    for (const client of await Promise.all(idle)) if (client) discard(client);
  }
}

/** A statement without an answer yet. */
interface Asked {
  readonly client: PoolClient;
  cut: NodeJS.Timeout | undefined;
}

const cutLater = (client: PoolClient) => setTimeout(() => socketOf(client)?.destroy(), HURRY);

function discard(client: PoolClient): void {
  client.release(true);
  // A stopped server never answers the farewell.
  socketOf(client)?.destroy();
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
