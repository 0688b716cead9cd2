import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LICENCES_FILE, licencesPage, rows } from '../../scripts/licences.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

describe('licence list', () => {
  test('is current (npx tsx scripts/licences.ts)', () => {
    expect(read(LICENCES_FILE)).toBe(licencesPage());
  });

  test('has what production installs and S3 needs, and no development tool', () => {
    const names = rows().map(({ name }) => name);
    const { dependencies, peerDependencies } = JSON.parse(read('package.json'));
    expect(names).toEqual(expect.arrayContaining([...Object.keys(dependencies), ...Object.keys(peerDependencies), '@smithy/core']));
    for (const name of ['vitest', 'vite', 's3rver', 'typescript']) expect(names).not.toContain(name);
  });

  test('every package declares a licence, the one it is installed with', () => {
    for (const { name, version, licence } of rows()) {
      expect(licence, name).not.toBe('');
      const file = `node_modules/${name}/package.json`;
      if (!existsSync(join(ROOT, file))) continue;
      const installed = JSON.parse(read(file));
      if (installed.version === version) expect(installed.license, name).toBe(licence);
    }
  });

  test('only licences that allow use in a service without conditions on its own code', () => {
    const allowed = /^(MIT|Apache-2\.0|ISC|0BSD|BSD-[23]-Clause|BlueOak-1\.0\.0|CC0-1\.0|LGPL-3\.0-or-later|Unlicense)$/;
    for (const { name, licence } of rows()) {
      for (const one of licence.replace(/[()]/g, '').split(/ (?:AND|OR) /)) expect(one, name).toMatch(allowed);
    }
  });
});
