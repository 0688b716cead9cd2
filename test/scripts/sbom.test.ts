import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SBOM_FILE, sbom } from '../../scripts/sbom.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

interface Component {
  readonly type: string;
  readonly 'bom-ref': string;
  readonly name: string;
  readonly hashes?: readonly { alg: string; content: string }[];
  readonly licenses?: readonly { expression: string }[];
}
const document = JSON.parse(sbom()) as {
  serialNumber: string;
  components: Component[];
  dependencies: { ref: string; dependsOn: string[] }[];
};

describe('bill of materials', () => {
  test('is current (npx tsx scripts/sbom.ts)', () => {
    expect(read(SBOM_FILE)).toBe(sbom());
  });

  test("has every production package that npm's own bill has", () => {
    // npm wants the tree of the lock file only: no network, no node_modules.
    const text = execFileSync('npm', ['sbom', '--package-lock-only', '--omit', 'dev', '--sbom-format', 'cyclonedx'], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const theirs = (JSON.parse(text) as { components: { purl: string }[] }).components.map(({ purl }) => decodeURIComponent(purl));
    const ours = document.components.map((component) => decodeURIComponent(component['bom-ref']));
    expect(theirs.length).toBeGreaterThan(80);
    expect(theirs.filter((one) => !ours.includes(one))).toEqual([]);
  });

  test('every component has a reference of its own, a checksum, and a licence if it is a package', () => {
    const refs = document.components.map((component) => component['bom-ref']);
    expect(new Set(refs).size).toBe(refs.length);
    for (const { name, type, hashes, licenses } of document.components) {
      expect(hashes?.[0]?.content, name).toMatch(/^[0-9a-f]{64,128}$/);
      if (type === 'library') expect(licenses?.[0]?.expression, name).toMatch(/^[A-Za-z0-9.\-() ]+$/);
    }
    expect(document.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  test('dependencies lead to components only', () => {
    const refs = new Set(document.components.map((component) => component['bom-ref']));
    for (const { ref, dependsOn } of document.dependencies.slice(1))
      for (const one of [ref, ...dependsOn]) expect(refs.has(one), one).toBe(true);
    expect(document.dependencies[0]?.dependsOn.some((one) => one.startsWith('pkg:npm/fastify@'))).toBe(true);
  });

  test('the shipped networks are there with the checksum of their file', () => {
    const networks = document.components.filter(({ type }) => type === 'machine-learning-model');
    expect(networks.length).toBeGreaterThan(1);
    for (const network of networks) {
      const digest = createHash('sha256')
        .update(readFileSync(join(ROOT, network['bom-ref'])))
        .digest('hex');
      expect(network.hashes).toEqual([{ alg: 'SHA-256', content: digest }]);
    }
  });
});
