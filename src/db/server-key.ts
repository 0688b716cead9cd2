import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../config.ts';

/**
 * The 32 bytes that encrypt recoverable secrets: from the configuration (64 hex digits), else from
 * DATA/server.key, made once with mode 0600. Losing it makes stored secrets unreadable for the
 * signing gateway; plain keys go on working, since those are compared by hash.
 * @throws ConfigError when the given key or the file's content is no such key
 */
export function loadServerKey(configured: string, dataFolder: string): Buffer {
  if (configured !== '') return parse(configured, 'MINGXI_SERVER_KEY');
  const path = join(dataFolder, 'server.key');
  const existing = read(path);
  if (existing !== undefined) return parse(existing, 'DATA/server.key');
  create(path, dataFolder);
  return parse(read(path) ?? '', 'DATA/server.key');
}

function parse(text: string, where: string): Buffer {
  if (!/^[0-9a-f]{64}$/i.test(text.trim())) throw new ConfigError([`${where}: expected 64 hex digits (openssl rand -hex 32)`]);
  return Buffer.from(text.trim(), 'hex');
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A hard link makes the complete file appear at once, and only if no other process was first. */
function create(path: string, dataFolder: string): void {
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  writeFileSync(draft, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
  try {
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}
