import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ExpressionBuilder, Selectable, UpdateObject } from 'kysely';
import { checkNewKey } from './new-key.ts';
import { seal, unseal } from './seal.ts';
import type { Db, KeyTable, Tables } from './tables.ts';
import { type Trx, transact } from './transact.ts';

/** The scope that allows every interface. */
export const ANY_SCOPE = '*';

/** What is known of an API key; never its secret. */
export interface ApiKey {
  /** The public half, sent as `api_key` or as the access key of a signature. */
  readonly id: string;
  readonly name: string;
  /** Interfaces the key may use, e.g. `aiquality`; `*` for all. */
  readonly scopes: readonly string[];
  /** Calls per second, or null for no limit. */
  readonly qps: number | null;
  /** Pictures per day and month (UTC), or null for no limit. */
  readonly dailyLimit: number | null;
  readonly monthlyLimit: number | null;
  /** Unfinished calls and jobs at once, or null for no limit. */
  readonly concurrentLimit: number | null;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  readonly disabledAt: number | null;
  readonly lastUsedAt: number | null;
}

export interface NewKey {
  readonly name: string;
  readonly scopes?: readonly string[];
  readonly qps?: number | null;
  readonly dailyLimit?: number | null;
  readonly monthlyLimit?: number | null;
  readonly concurrentLimit?: number | null;
  readonly expiresAt?: number | null;
}

/** A key with its secret: handed out once, at creation and rotation. */
export interface IssuedKey {
  readonly key: ApiKey;
  readonly secret: string;
}

export interface KeyStore {
  /** @throws AppError PARAM_VALUE_ERROR for values no key can have */
  create(wanted: NewKey): Promise<IssuedKey>;
  /** All keys, oldest first, revoked ones included. */
  list(): Promise<readonly ApiKey[]>;
  find(id: string): Promise<ApiKey | undefined>;
  /** False when there is no such key; revoking twice keeps the first time. */
  revoke(id: string): Promise<boolean>;
  /** Switches a key off until it is enabled; false when there is no such key, twice keeps the first time. */
  disable(id: string): Promise<boolean>;
  /** Switches a disabled key on again; a revoked one stays revoked. False when there is no such key. */
  enable(id: string): Promise<boolean>;
  /** A new secret for the same key; the old one stops working at once. Undefined: no such key. */
  rotate(id: string): Promise<IssuedKey | undefined>;
  /** The key, if it exists and the secret is its own; whether it is still valid is `keyIsValid`'s to say. */
  verify(id: string, secret: string): Promise<ApiKey | undefined>;
  /** The secret itself, for checking a signature; undefined when there is no such key. */
  secretOf(id: string): Promise<string | undefined>;
  /** Notes the use, at most once a minute per key: a write per call would cost more than the call. */
  touch(id: string): Promise<void>;
}

const TOUCH_EVERY = 60_000;

/** Neither revoked, disabled nor expired. */
export function keyIsValid(key: ApiKey, now = Date.now()): boolean {
  return key.revokedAt === null && key.disabledAt === null && (key.expiresAt === null || key.expiresAt > now);
}

/** Whether the key may use an interface. */
export function keyAllows(key: ApiKey, scope: string): boolean {
  return key.scopes.includes(ANY_SCOPE) || key.scopes.includes(scope);
}

/** Keys in the database; `serverKey` encrypts the recoverable copy of each secret. */
export function createKeyStore(db: Db, serverKey: Buffer, now: () => number = Date.now): KeyStore {
  const touched = new Map<string, number>();
  const row = (id: string) => db.selectFrom('keys').selectAll().where('id', '=', id).executeTakeFirst();
  const set = async (id: string, change: (e: ExpressionBuilder<Tables, 'keys'>) => UpdateObject<Tables, 'keys'>) =>
    transact(db, async (trx) => (await trx.updateTable('keys').set(change).where('id', '=', id).executeTakeFirst()).numUpdatedRows > 0n);
  const store: KeyStore = {
    async create(wanted) {
      checkNewKey(wanted);
      const id = `mx${randomBytes(12).toString('hex')}`;
      const secret = newSecret();
      const values = {
        id,
        name: wanted.name,
        scopes: JSON.stringify(wanted.scopes ?? [ANY_SCOPE]),
        secret_hash: hash(secret),
        secret_sealed: seal(secret, serverKey, id),
        qps: wanted.qps ?? null,
        daily_limit: wanted.dailyLimit ?? null,
        monthly_limit: wanted.monthlyLimit ?? null,
        concurrent_limit: wanted.concurrentLimit ?? null,
        created_at: now(),
        expires_at: wanted.expiresAt ?? null,
        revoked_at: null,
        disabled_at: null,
        last_used_at: null,
      };
      // A new id is nobody else's: one that is there already is this key, from a try whose answer was lost.
      const unlessThere = (trx: Trx) =>
        trx
          .insertInto('keys')
          .values(values)
          .onConflict((conflict) => conflict.doNothing());
      await transact(db, (trx) => unlessThere(trx).execute());
      return { key: toApiKey(await db.selectFrom('keys').selectAll().where('id', '=', id).executeTakeFirstOrThrow()), secret };
    },
    async list() {
      return (await db.selectFrom('keys').selectAll().orderBy('created_at').orderBy('id').execute()).map(toApiKey);
    },
    async find(id) {
      const found = await row(id);
      return found && toApiKey(found);
    },
    revoke(id) {
      return set(id, (e) => ({ revoked_at: e.fn.coalesce('revoked_at', e.val(now())) }));
    },
    disable(id) {
      return set(id, (e) => ({ disabled_at: e.fn.coalesce('disabled_at', e.val(now())) }));
    },
    enable(id) {
      return set(id, () => ({ disabled_at: null }));
    },
    async rotate(id) {
      const secret = newSecret();
      await set(id, (e) => ({ secret_hash: hash(secret), secret_sealed: seal(secret, serverKey, id), version: e('version', '+', 1) }));
      const found = await row(id);
      return found && { key: toApiKey(found), secret };
    },
    async verify(id, secret) {
      const found = await row(id);
      // An unknown key costs the same hash and comparison as a known one with a wrong secret.
      const expected = Buffer.from(found?.secret_hash ?? hash(''), 'hex');
      const equal = timingSafeEqual(expected, Buffer.from(hash(secret), 'hex'));
      return found && equal ? toApiKey(found) : undefined;
    },
    async secretOf(id) {
      const found = await row(id);
      return found && unseal(found.secret_sealed, serverKey, id);
    },
    async touch(id) {
      const last = touched.get(id) ?? 0;
      if (now() - last < TOUCH_EVERY) return;
      touched.set(id, now());
      await set(id, () => ({ last_used_at: now() }));
    },
  };
  return store;
}

/** 256 bits; not a password, so one round of SHA-256 is enough to store it. */
function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

function hash(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex');
}

function toApiKey(row: Selectable<KeyTable>): ApiKey {
  return {
    id: row.id,
    name: row.name,
    scopes: JSON.parse(row.scopes) as string[],
    qps: row.qps,
    dailyLimit: row.daily_limit,
    monthlyLimit: row.monthly_limit,
    concurrentLimit: row.concurrent_limit,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    disabledAt: row.disabled_at,
    lastUsedAt: row.last_used_at,
  };
}
