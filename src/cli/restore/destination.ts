import { type Stats, statSync } from 'node:fs';
import { copyFile, mkdir, readFile, realpath, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import { UsageError } from '../exit.ts';
import { type ResultFormat, resultFormat, withFormat } from './formats.ts';
import type { Input, Inputs } from './inputs.ts';

/** Where results go. `device`: something that is written through, never replaced (/dev/null, a pipe). */
export type Destination =
  | { readonly kind: 'stdout' }
  | { readonly kind: 'device'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string; readonly format: ResultFormat | undefined }
  | { readonly kind: 'folder'; readonly path: string };

/** @throws UsageError when OUT cannot hold what was asked for */
export async function chooseDestination(out: string, inputs: Inputs, format: string | undefined): Promise<Destination> {
  const there = await stat(out).catch(() => undefined);
  if (out === '-') {
    if (inputs.several) throw new UsageError('-o - takes one picture; several need a folder');
    if (process.stdout.isTTY) throw new UsageError('-o - would write a picture to the terminal; send standard output to a file or a pipe');
    return { kind: 'stdout' };
  }
  if (there?.isDirectory()) return { kind: 'folder', path: out };
  if (there && inputs.several) throw new UsageError(`${out} is a file; several pictures need a folder`);
  if (there && !there.isFile()) return { kind: 'device', path: out };
  const promised = resultFormat(out);
  if (inputs.several && promised) throw new UsageError(`${out} is named like a picture; several pictures need a folder`);
  if (inputs.several || /[/\\]$/.test(out) || (!there && extname(out) === '')) return { kind: 'folder', path: out };
  if (!promised && extname(out) !== '') throw new UsageError(`${out}: results are jpg, png or webp, not ${extname(out)}`);
  if (promised && format && format !== 'same' && format !== promised) {
    throw new UsageError(`${out} and --format ${format} disagree`);
  }
  // Through a link: the file it names is replaced, the link stays.
  return { kind: 'file', path: there ? await realpath(out) : out, format: promised };
}

/** The folder the destination lies in; temporary files are made there, so that a rename is enough. */
export function folderOf(destination: Destination): string | undefined {
  if (destination.kind === 'folder') return destination.path;
  return destination.kind === 'file' ? dirname(destination.path) : undefined;
}

/** Puts finished files in their place: whole or not at all, and never over a source unless forced. */
export class Placement {
  readonly #destination: Destination;
  readonly #sources: Set<string>;
  readonly #force: boolean;
  readonly #taken = new Map<string, string>();

  constructor(destination: Destination, inputs: readonly Input[], force: boolean) {
    this.#destination = destination;
    this.#force = force;
    this.#sources = new Set(inputs.flatMap(({ path }) => identity(path) ?? []));
  }

  /**
   * The path of an input's result, reserved for it.
   * @throws UsageError when it would replace a source, or another picture's result
   */
  reserve(input: Input, format: ResultFormat | undefined): string | undefined {
    const destination = this.#destination;
    if (destination.kind === 'stdout' || destination.kind === 'device') return undefined;
    const plain = destination.kind === 'file' ? destination.path : join(destination.path, input.relative);
    const path = format ? withFormat(plain, format) : plain;
    const owner = this.#taken.get(resolve(path));
    if (owner !== undefined && owner !== input.path) throw new UsageError(`its result ${path} is already the result of ${owner}`);
    const there = identity(path);
    if (!this.#force && there && this.#sources.has(there)) {
      throw new UsageError(`its result would replace the source ${path}; --force allows it`);
    }
    this.#taken.set(resolve(path), input.path);
    return path;
  }

  /** Moves a finished temporary file to its place, or its bytes through a device. Returns the path. */
  async place(temporary: string, input: Input, format: ResultFormat): Promise<string> {
    const destination = this.#destination;
    if (destination.kind === 'stdout') {
      await writeOut(await readFile(temporary));
      return '-';
    }
    if (destination.kind === 'device') {
      await writeFile(destination.path, await readFile(temporary));
      return destination.path;
    }
    const path = this.reserve(input, destination.kind === 'file' ? undefined : format) ?? '';
    await mkdir(dirname(path), { recursive: true });
    await move(temporary, path);
    return path;
  }
}

async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    // A folder below OUT may be another file system: copy beside the target first, then rename there.
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    await copyFile(from, `${to}.partial`);
    await rename(`${to}.partial`, to);
  }
}

function writeOut(bytes: Buffer): Promise<void> {
  return new Promise((done, fail) => process.stdout.write(bytes, (error) => (error ? fail(error) : done())));
}

/** What tells a file from every other, through links; undefined when there is none. */
function identity(path: string): string | undefined {
  let found: Stats;
  try {
    found = statSync(path);
  } catch {
    return undefined;
  }
  return `${found.dev}:${found.ino}`;
}
