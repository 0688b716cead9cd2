import { stat } from 'node:fs/promises';
import { basename, join, resolve, sep } from 'node:path';
import { looksLikePicture } from './formats.ts';
import { filesBelow, globPattern, hasGlob, splitGlob } from './glob.ts';

/** One picture to restore: where it is, and where its result belongs below an output folder. */
export interface Input {
  /** Path, or `-` for standard input. */
  readonly path: string;
  readonly relative: string;
}

export interface Inputs {
  readonly found: readonly Input[];
  /** What was asked for and is not there, in words. */
  readonly missing: readonly string[];
  /** True when the arguments could stand for several pictures, however many there are: OUT is a folder then. */
  readonly several: boolean;
}

/**
 * Files, folders and globs of the command line as a list of pictures. A single folder's contents go
 * straight into OUT; of several inputs each folder keeps its own name there.
 * @param out an output folder inside an input folder is left out: earlier results are no sources
 */
export async function findInputs(args: readonly string[], recursive: boolean, out: string): Promise<Inputs> {
  const found: Input[] = [];
  const missing: string[] = [];
  let several = args.length > 1;
  for (const arg of args) {
    const kind = arg === '-' ? 'stdin' : await kindOf(arg);
    if (kind === 'stdin') found.push({ path: '-', relative: 'stdin' });
    else if (kind === 'file') found.push({ path: arg, relative: basename(arg) });
    else if (kind === 'none') missing.push(`${arg}: no such file or folder`);
    else {
      several = true;
      const pictures = kind === 'folder' ? await inFolder(arg, recursive, args.length > 1) : await matching(arg);
      const kept = isBelow(out, kind === 'folder' ? arg : splitGlob(arg).base)
        ? pictures.filter((input) => !isBelow(input.path, out))
        : pictures;
      if (kept.length === 0) missing.push(`${arg}: no pictures ${kind === 'glob' ? 'match' : recursive ? 'below it' : 'in it'}`);
      found.push(...kept);
    }
  }
  return { found, missing, several };
}

async function kindOf(path: string): Promise<'file' | 'folder' | 'glob' | 'none'> {
  const found = await stat(path).catch(() => undefined);
  if (found) return found.isDirectory() ? 'folder' : 'file';
  return hasGlob(path) ? 'glob' : 'none';
}

async function inFolder(folder: string, recursive: boolean, named: boolean): Promise<Input[]> {
  const prefix = named ? basename(resolve(folder)) : '';
  const names = (await filesBelow(folder, recursive)).filter(looksLikePicture);
  return names.map((name) => ({ path: join(folder, name), relative: join(prefix, name) }));
}

async function matching(pattern: string): Promise<Input[]> {
  const { base, rest } = splitGlob(pattern);
  const expression = globPattern(rest);
  const below = await filesBelow(base, rest.includes('/') || rest.includes('**')).catch(() => []);
  const names = below.filter((name) => expression.test(name) && looksLikePicture(name));
  return names.map((name) => ({ path: join(base, name), relative: name }));
}

function isBelow(path: string, folder: string): boolean {
  return resolve(path).startsWith(resolve(folder) + sep);
}
