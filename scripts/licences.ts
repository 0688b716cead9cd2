import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(import.meta.dirname, '..');

/** Where the page lies, from the root of the repository. */
export const LICENCES_FILE = 'docs/reference/licences.md';

/** An entry of package-lock.json's `packages`, as far as it is looked at. */
export interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly optional?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

export type Packages = Readonly<Record<string, LockedPackage>>;

/** A package that is shipped or installed with the service. */
export interface Row {
  /** Its key in the lock file. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  /** Why it is there. */
  readonly needed: string;
}

/** A package's name by its key. */
export const nameOf = (path: string) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

/** Where a package's dependency lies: in its own folder, or in that of a package around it. */
export function locate(packages: Packages, from: string, name: string): string | undefined {
  for (let folder = from; folder !== ''; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const path = `${folder}/node_modules/${name}`;
    if (packages[path]) return path;
  }
  const path = `node_modules/${name}`;
  return packages[path] ? path : undefined;
}

/** Everything a package needs, itself included. */
function closure(packages: Packages, roots: readonly string[]): Set<string> {
  const found = new Set<string>();
  const visit = (path: string) => {
    if (found.has(path)) return;
    found.add(path);
    for (const name of Object.keys(packages[path]?.dependencies ?? {})) {
      const next = locate(packages, path, name);
      if (next) visit(next);
    }
  };
  for (const root of roots) visit(root);
  return found;
}

/** The lock file's packages. */
export function lockedPackages(): Packages {
  return (JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as { packages: Packages }).packages;
}

/** Packages of the lock file that a production installation may contain, those of optional stores included. */
export function rows(): Row[] {
  const packages = lockedPackages();
  const { peerDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { peerDependencies: object };
  const optionalStores = closure(
    packages,
    Object.keys(peerDependencies).map((name) => `node_modules/${name}`),
  );
  const all = Object.entries(packages).flatMap(([path, { version = '', license, dev, devOptional, optional }]) => {
    const isShipped = path !== '' && !dev && !devOptional;
    if (!isShipped && !optionalStores.has(path)) return [];
    const needed = isShipped ? (optional ? 'some platforms' : 'always') : 'when configured';
    return [{ path, name: nameOf(path), version, licence: license ?? '', needed }];
  });
  const unique = new Map(all.map((row) => [`${row.name}@${row.version}`, row]));
  return [...unique.values()].sort((a, b) => (a.name === b.name ? (a.version < b.version ? -1 : 1) : a.name < b.name ? -1 : 1));
}

/** The page as it should be. */
export function licencesPage(): string {
  const all = rows();
  const counts = new Map<string, number>();
  for (const { licence } of all) counts.set(licence, (counts.get(licence) ?? 0) + 1);
  const summary = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).map(([licence, n]) => `| ${licence} | ${n} |`);
  return `# Licences of what is installed

<!-- Made by \`npx tsx scripts/licences.ts\` from package-lock.json; do not edit. -->

Mingxi and its networks: [Apache-2.0](../../LICENSE). The packages a production installation contains, as they declare it;
"some platforms": the package for another operating system or processor is not installed; "when configured": only for pictures in
a bucket, a PostgreSQL database or a queue on Redis. The same as a bill of materials (CycloneDX): [sbom.cdx.json](sbom.cdx.json). libvips, inside the \`@img/sharp-libvips-*\`
packages, is LGPL-3.0 and linked dynamically.

| licence | packages |
| --- | --- |
${summary.join('\n')}

| package | version | licence | needed |
| --- | --- | --- | --- |
${all.map(({ name, version, licence, needed }) => `| ${name} | ${version} | ${licence} | ${needed} |`).join('\n')}
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(join(ROOT, LICENCES_FILE), licencesPage());
  // Both come from the lock file: neither is forgotten this way. Not awaited: that file imports this one, which must be done first.
  void import('./sbom.ts').then(({ SBOM_FILE, sbom }) => writeFileSync(join(ROOT, SBOM_FILE), sbom()));
}
