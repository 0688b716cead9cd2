import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** True when a path has a character that a shell would expand. */
export function hasGlob(path: string): boolean {
  return /[*?[{]/.test(path);
}

/** The folder above the first wildcard of a pattern, and the rest of the pattern below it. */
export function splitGlob(pattern: string): { readonly base: string; readonly rest: string } {
  const parts = pattern.split('/');
  const first = parts.findIndex(hasGlob);
  const base = parts.slice(0, first).join('/');
  return { base: base === '' && pattern.startsWith('/') ? '/' : base || '.', rest: parts.slice(first).join('/') };
}

/** `*` `?` `[a-z]` `[!a]` `{a,b}` within a name, `**` over any number of folders. Matches whole relative paths. */
export function globPattern(glob: string): RegExp {
  let source = '';
  let depth = 0;
  for (let i = 0; i < glob.length; i++) {
    const character = glob[i] ?? '';
    if (glob.startsWith('**/', i)) {
      source += '(?:[^/]+/)*';
      i += 2;
    } else if (glob.startsWith('**', i)) {
      source += '.*';
      i += 1;
    } else if (character === '*') source += '[^/]*';
    else if (character === '?') source += '[^/]';
    else if (character === '[' && glob.indexOf(']', i + 2) > 0) {
      const end = glob.indexOf(']', i + 2);
      source += `[${glob
        .slice(i + 1, end)
        .replace(/^!/, '^')
        .replaceAll('\\', '\\\\')}]`;
      i = end;
    } else if (character === '{') {
      source += '(?:';
      depth += 1;
    } else if (character === '}' && depth > 0) {
      source += ')';
      depth -= 1;
    } else if (character === ',' && depth > 0) source += '|';
    else source += character.replace(/[.+^$()|\\[\]{}]/, '\\$&');
  }
  return new RegExp(`^${source}${')'.repeat(depth)}$`, 'u');
}

/** Relative paths of the files below a folder, sorted; hidden names are left out. `deep`: folders of folders too. */
export async function filesBelow(folder: string, deep: boolean): Promise<string[]> {
  const found: string[] = [];
  const walk = async (relative: string) => {
    const entries = await readdir(join(folder, relative), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith('.')) continue;
      const path = relative === '' ? entry.name : `${relative}/${entry.name}`;
      if (entry.isDirectory()) {
        if (deep) await walk(path);
      } else if (entry.isFile() || entry.isSymbolicLink()) found.push(path);
    }
  };
  await walk('');
  return found;
}
