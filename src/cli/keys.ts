import type { Command } from 'commander';
import { loadConfig } from '../config.ts';
import type { ApiKey, IssuedKey, KeyStore } from '../db/keys.ts';
import { UsageError } from './exit.ts';
import { printJson, printTable } from './print.ts';
import { positiveNumber, wholeNumber } from './schema-option.ts';

interface Flags {
  readonly data?: string;
  readonly json?: true;
}

interface CreateFlags extends Flags {
  readonly name: string;
  readonly scopes?: readonly string[];
  readonly qps?: number;
  readonly daily?: number;
  readonly monthly?: number;
  readonly concurrent?: number;
  readonly expires?: number;
}

/** `mingxi keys`: who may call the interface. A secret is printed once, when it is made. */
export function keysCommand(program: Command): void {
  const keys = program.command('keys').description('API keys: create, list, show, disable, enable, revoke, rotate.');
  const withFlags = (command: Command) => command.option('--data <dir>', 'data folder').option('--json', 'as JSON');
  withFlags(keys.command('create').description('Make a key; its secret is shown this once.'))
    .requiredOption('--name <name>', 'what the key is for')
    .option('--scopes <list>', 'interfaces it may use, separated by commas (default: all)', splitList)
    .option('--qps <number>', 'calls per second (default: no limit)', positiveNumber)
    .option('--daily <number>', 'pictures per day, UTC (default: no limit)', wholeNumber(1))
    .option('--monthly <number>', 'pictures per month, UTC (default: no limit)', wholeNumber(1))
    .option('--concurrent <number>', 'unfinished calls and jobs at once (default: no limit)', wholeNumber(1))
    .option('--expires <date>', 'last moment it works, e.g. 2027-01-31 (UTC)', parseDate)
    .action((flags: CreateFlags) => withStore(flags, (store) => create(store, flags)));
  withFlags(keys.command('list').description('Every key, without secrets.')).action((flags: Flags) =>
    withStore(flags, (store) => list(store, flags)),
  );
  withFlags(keys.command('show <key>').description('One key, by id or name, without its secret.')).action((key: string, flags: Flags) =>
    withStore(flags, async (store) => printJson(plain(await find(store, key)))),
  );
  withFlags(keys.command('revoke <key>').description('End a key at once and for good.')).action((key: string, flags: Flags) =>
    withStore(flags, (store) => revoke(store, key, flags)),
  );
  withFlags(keys.command('disable <key>').description('Refuse a key at once, until it is enabled again.')).action(
    (key: string, flags: Flags) => withStore(flags, (store) => disable(store, key, flags)),
  );
  withFlags(keys.command('enable <key>').description('Let a disabled key work again.')).action((key: string, flags: Flags) =>
    withStore(flags, (store) => enable(store, key, flags)),
  );
  withFlags(keys.command('rotate <key>').description('Give a key a new secret; the old one stops working at once.')).action(
    (key: string, flags: Flags) => withStore(flags, (store) => rotate(store, key, flags)),
  );
}

async function create(store: KeyStore, flags: CreateFlags): Promise<void> {
  const { name, scopes, qps, daily, monthly, concurrent, expires } = flags;
  const issued = await store.create({
    name,
    ...(scopes ? { scopes } : {}),
    qps: qps ?? null,
    dailyLimit: daily ?? null,
    monthlyLimit: monthly ?? null,
    concurrentLimit: concurrent ?? null,
    expiresAt: expires ?? null,
  });
  printIssued(issued, flags);
}

async function list(store: KeyStore, flags: Flags): Promise<void> {
  const keys = await store.list();
  if (flags.json) return printJson(keys.map(plain));
  const limit = (value: number | null) => (value === null ? '-' : String(value));
  printTable(
    ['api_key', 'name', 'state', 'scopes', 'qps', 'daily', 'monthly', 'created', 'last used'],
    keys.map((key) => [
      key.id,
      key.name,
      stateOf(key),
      key.scopes.join(','),
      limit(key.qps),
      limit(key.dailyLimit),
      limit(key.monthlyLimit),
      date(key.createdAt) ?? '',
      date(key.lastUsedAt) ?? 'never',
    ]),
  );
}

async function revoke(store: KeyStore, name: string, flags: Flags): Promise<void> {
  const key = await find(store, name);
  await store.revoke(key.id);
  await printState(store, key.id, flags);
}

async function disable(store: KeyStore, name: string, flags: Flags): Promise<void> {
  const key = notRevoked(await find(store, name));
  await store.disable(key.id);
  await printState(store, key.id, flags);
}

async function enable(store: KeyStore, name: string, flags: Flags): Promise<void> {
  const key = notRevoked(await find(store, name, 'disabled'));
  await store.enable(key.id);
  await printState(store, key.id, flags);
}

/** @throws UsageError: a revoked key is neither off nor on */
function notRevoked(key: ApiKey): ApiKey {
  if (key.revokedAt === null) return key;
  throw new UsageError(`${key.id} (${key.name}) is revoked, which is for good; make a new key`);
}

async function printState(store: KeyStore, id: string, flags: Flags): Promise<void> {
  const key = await find(store, id);
  if (flags.json) printJson(plain(key));
  else console.log(`${key.id} (${key.name}) is ${stateOf(key)}`);
}

async function rotate(store: KeyStore, name: string, flags: Flags): Promise<void> {
  const issued = await store.rotate((await find(store, name)).id);
  if (issued) printIssued(issued, flags);
}

/**
 * The key of an id or name; of several with the name, the one in the state that is meant.
 * @throws UsageError when no key, or more than one, answers to the name
 */
async function find(store: KeyStore, name: string, meant: KeyState = 'valid'): Promise<ApiKey> {
  const keys = await store.list();
  const exact = keys.find((key) => key.id === name);
  const named = keys.filter((key) => key.name === name);
  const fitting = named.filter((key) => stateOf(key) === meant);
  const candidates = exact ? [exact] : fitting.length > 0 ? fitting : named;
  const [key] = candidates;
  if (!key) throw new UsageError(`there is no key ${JSON.stringify(name)}`);
  if (candidates.length === 1) return key;
  throw new UsageError(`several keys are named ${JSON.stringify(name)}; say which by its id: ${candidates.map(({ id }) => id).join(', ')}`);
}

async function withStore(flags: Flags, work: (store: KeyStore) => Promise<void>): Promise<void> {
  const config = loadConfig(process.env, { data: flags.data });
  const { createKeyStore } = await import('../db/keys.ts');
  const { loadServerKey } = await import('../db/server-key.ts');
  const { openDatabase } = await import('../db/database.ts');
  const { databaseServerOf } = await import('../db/database-server.ts');
  const serverKey = loadServerKey(config.serverKey, config.data);
  const db = await openDatabase(config.data, databaseServerOf(config, { serverKey, startPatience: 0 }));
  try {
    await work(createKeyStore(db, serverKey));
  } finally {
    await db.destroy();
  }
}

function printIssued({ key, secret }: IssuedKey, flags: Flags): void {
  if (flags.json) printJson({ api_key: key.id, api_secret: secret, name: key.name });
  else console.log(`api_key     ${key.id}\napi_secret  ${secret}\nThe secret is not shown again.`);
}

/** A key as scripts see it: snake case like every JSON of the interface, times in ISO 8601. */
function plain(key: ApiKey): object {
  return {
    api_key: key.id,
    name: key.name,
    state: stateOf(key),
    scopes: key.scopes,
    qps: key.qps,
    daily: key.dailyLimit,
    monthly: key.monthlyLimit,
    concurrent: key.concurrentLimit,
    created: date(key.createdAt),
    expires: date(key.expiresAt),
    revoked: date(key.revokedAt),
    disabled: date(key.disabledAt),
    last_used: date(key.lastUsedAt),
  };
}

type KeyState = 'valid' | 'revoked' | 'disabled' | 'expired';

function stateOf({ revokedAt, disabledAt, expiresAt }: ApiKey): KeyState {
  if (revokedAt !== null) return 'revoked';
  if (disabledAt !== null) return 'disabled';
  return expiresAt !== null && expiresAt <= Date.now() ? 'expired' : 'valid';
}

function date(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}

function splitList(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** A plain day lasts until its end in UTC; anything else is the moment it names. */
function parseDate(text: string): number {
  const time = Date.parse(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T23:59:59.999Z` : text);
  if (!Number.isFinite(time)) throw new UsageError(`--expires ${text}: expected a date like 2027-01-31 or 2027-01-31T12:00:00Z`);
  if (time <= Date.now()) throw new UsageError(`--expires ${text} is in the past`);
  return time;
}
