import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/config.ts';
import { seal, unseal } from '../../src/db/seal.ts';
import { loadServerKey } from '../../src/db/server-key.ts';
import { temporaryFolder } from '../support/temporary.ts';

describe('server key', () => {
  test('is made once, readable by its owner alone', () => {
    const folder = temporaryFolder();
    const first = loadServerKey('', folder);
    expect(first.length).toBe(32);
    expect(loadServerKey('', folder).equals(first)).toBe(true);
    expect(statSync(join(folder, 'server.key')).mode & 0o777).toBe(0o600);
  });

  test('the configured key wins and no file is made', () => {
    const folder = temporaryFolder();
    expect(loadServerKey('ab'.repeat(32), folder).toString('hex')).toBe('ab'.repeat(32));
    expect(existsSync(join(folder, 'server.key'))).toBe(false);
  });

  test.each(['short', 'zz'.repeat(32), 'ab'.repeat(33)])('a malformed key is refused: %s', (text) => {
    expect(() => loadServerKey(text, temporaryFolder())).toThrow(ConfigError);
  });

  test('a damaged key file is refused rather than replaced', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'server.key'), 'damaged');
    expect(() => loadServerKey('', folder)).toThrow(ConfigError);
    expect(readFileSync(join(folder, 'server.key'), 'utf8')).toBe('damaged');
  });
});

describe('seal', () => {
  const key = Buffer.alloc(32, 7);
  test('opens for its owner and hides the text', () => {
    const sealed = seal('秘密 secret', key, 'mx1');
    expect(sealed).not.toContain('secret');
    expect(unseal(sealed, key, 'mx1')).toBe('秘密 secret');
    expect(seal('秘密 secret', key, 'mx1')).not.toBe(sealed);
  });

  test('refuses another owner, another key and every altered byte', () => {
    const sealed = seal('secret', key, 'mx1');
    expect(() => unseal(sealed, key, 'mx2')).toThrow();
    expect(() => unseal(sealed, Buffer.alloc(32, 8), 'mx1')).toThrow();
    const bytes = Buffer.from(sealed.slice(3), 'base64');
    for (let i = 0; i < bytes.length; i++) {
      const altered = Buffer.from(bytes);
      altered.writeUInt8(altered.readUInt8(i) ^ 1, i);
      expect(() => unseal(`v1:${altered.toString('base64')}`, key, 'mx1')).toThrow();
    }
    expect(() => unseal('v2:AAAA', key, 'mx1')).toThrow();
  });
});
