// Copies what must not be lost, the database and the key that seals its secrets, while the service runs:
//   node docker/backup.mjs DATA TARGET
// TARGET is made and must not exist. The copy is one moment's state, checked before success is reported.
// To restore: stop the service, put both files into an empty DATA folder, start.
import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';

const [data, target] = process.argv.slice(2);
const fail = (message) => {
  console.error(`backup: ${message}`);
  process.exit(1);
};
if (!data || !target) fail('usage: node backup.mjs DATA TARGET');
const source = join(data, 'mingxi.sqlite');
if (!existsSync(source)) fail(`there is no database in ${data}`);
if (existsSync(target)) fail(`${target} exists already`);

mkdirSync(target, { recursive: true, mode: 0o700 });
try {
  const copy = join(target, 'mingxi.sqlite');
  const database = new Database(source, { timeout: 10_000 });
  // A read transaction: writers go on, and nothing of theirs is half in the copy.
  database.prepare('VACUUM INTO ?').run(copy);
  database.close();
  chmodSync(copy, 0o600);
  const check = new Database(copy, { readonly: true });
  const [{ integrity_check: verdict }] = check.prepare('PRAGMA integrity_check').all();
  check.close();
  if (verdict !== 'ok') throw new Error(`the copy is damaged: ${verdict}`);
  // Absent when the key comes from MINGXI_SERVER_KEY.
  const key = join(data, 'server.key');
  if (existsSync(key)) {
    copyFileSync(key, join(target, 'server.key'));
    chmodSync(join(target, 'server.key'), 0o600);
  }
  console.log(`backup: ${target}`);
} catch (error) {
  rmSync(target, { recursive: true, force: true });
  fail(error.message);
}
