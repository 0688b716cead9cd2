import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { referenceFiles } from '../../scripts/reference.ts';
import { environmentName, loadConfig, VARIABLES } from '../../src/config.ts';
import { ERRORS } from '../../src/errors.ts';

const committed = (path: string) => readFileSync(join(import.meta.dirname, '../..', path), 'utf8');

describe('generated reference', () => {
  test.each(Object.keys(referenceFiles()))('%s is current (npx tsx scripts/reference.ts)', (path) => {
    expect(committed(path)).toBe(referenceFiles()[path]);
  });

  test('names every variable and every error code', () => {
    for (const name of Object.keys(VARIABLES)) {
      expect(committed('docs/reference/configuration.md')).toContain(`\`${environmentName(name)}\``);
      expect(committed('.env.example')).toContain(`\n#${environmentName(name)}=`);
    }
    for (const [name, { code }] of Object.entries(ERRORS)) expect(committed('docs/reference/errors.md')).toContain(`${code} | \`${name}\``);
  });

  test('.env.example with every line in force is a valid configuration, and the default one', () => {
    const lines = committed('.env.example').matchAll(/^#(MINGXI_[A-Z0-9_]+)=(.*)$/gm);
    const environment = Object.fromEntries([...lines].map(([, name, value]) => [name, value]));
    expect(loadConfig(environment)).toEqual(loadConfig({}));
  });

  test('codes and names are unique', () => {
    const codes = Object.values(ERRORS).map((spec) => spec.code);
    expect(new Set(codes).size).toBe(codes.length);
  });
});
