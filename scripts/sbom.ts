/**
 * The bill of materials: every package a production installation may contain and the networks that are
 * shipped, with checksums and what needs what. CycloneDX 1.6, from package-lock.json and the manifests;
 * the same inputs give the same file.
 *
 *   npx tsx scripts/sbom.ts
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { locate, lockedPackages, type Packages, type Row, rows } from './licences.ts';

const ROOT = join(import.meta.dirname, '..');

/** Where the document lies, from the root of the repository. */
export const SBOM_FILE = 'docs/reference/sbom.cdx.json';

/** Package URL of an npm package (purl specification: the scope's @ is encoded). */
export const purl = (name: string, version: string) => `pkg:npm/${name.replace('@', '%40')}@${version}`;

/** The document as it should be. */
export function sbom(): string {
  const { name, version, license } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<string, string>;
  const packages = lockedPackages();
  const all = rows();
  const own = {
    type: 'application',
    'bom-ref': `${name}@${version}`,
    name,
    version,
    licenses: [{ expression: license }],
    purl: purl(name ?? '', version ?? ''),
  };
  const networks = shippedNetworks();
  const components = [...all.map((row) => library(row, packages)), ...networks];
  const dependencies = [
    { ref: own['bom-ref'], dependsOn: [...direct(packages, all), ...networks.map((network) => network['bom-ref'])].sort() },
    ...all.map((row) => ({ ref: refOf(row), dependsOn: needs(row, packages, all) })),
  ];
  const body = { metadata: { component: own }, components, dependencies: unique(dependencies) };
  const digest = createHash('sha256').update(JSON.stringify(body)).digest('hex');
  // A name for this content, in the form that the specification asks for (RFC 9562, version 8).
  const serialNumber = `urn:uuid:${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
  return `${JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', serialNumber, version: 1, ...body }, null, 1)}\n`;
}

const refOf = ({ name, version }: Row) => purl(name, version);

function library({ path, name, version, licence, needed }: Row, packages: Packages) {
  const [algorithm = '', digest = ''] = (packages[path]?.integrity ?? '').split('-');
  return {
    type: 'library',
    'bom-ref': purl(name, version),
    name,
    version,
    scope: needed === 'always' ? 'required' : 'optional',
    ...(digest === ''
      ? {}
      : { hashes: [{ alg: algorithm.replace('sha', 'SHA-'), content: Buffer.from(digest, 'base64').toString('hex') }] }),
    licenses: [{ expression: licence.replace(/^\((.*)\)$/, '$1') }],
    purl: purl(name, version),
  };
}

/** What package.json itself asks for, as far as it is listed. */
function direct(packages: Packages, all: readonly Row[]): string[] {
  const { dependencies = {}, peerDependencies = {} } = (packages[''] ?? {}) as { dependencies?: object; peerDependencies?: object };
  const names = [...Object.keys(dependencies), ...Object.keys(peerDependencies)];
  return all.filter(({ path }) => names.some((name) => path === `node_modules/${name}`)).map(refOf);
}

function needs({ path }: Row, packages: Packages, all: readonly Row[]): string[] {
  const paths = Object.keys(packages[path]?.dependencies ?? {}).map((name) => locate(packages, path, name));
  return [...new Set(all.filter((row) => paths.includes(row.path)).map(refOf))].sort();
}

/** The same version in two places of the tree is one component. */
function unique<T extends { readonly ref: string }>(list: readonly T[]): T[] {
  return [...new Map(list.map((one) => [one.ref, one])).values()];
}

function shippedNetworks() {
  const root = join(ROOT, 'models');
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) =>
      readdirSync(join(root, name))
        .filter((file) => file.endsWith('.onnx'))
        .sort()
        .map((file) => ({
          type: 'machine-learning-model',
          'bom-ref': `models/${name}/${file}`,
          name: `${name}/${file}`,
          version: createHash('sha256')
            .update(readFileSync(join(root, name, file)))
            .digest('hex')
            .slice(0, 12),
          hashes: [
            {
              alg: 'SHA-256',
              content: createHash('sha256')
                .update(readFileSync(join(root, name, file)))
                .digest('hex'),
            },
          ],
        })),
    );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(join(ROOT, SBOM_FILE), sbom());
