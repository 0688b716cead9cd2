import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { probeHeader, sniffFormat } from '../../src/imaging/header.ts';
import type { SourceFormat } from '../../src/limits.ts';
import { goodFiles } from '../support/broken-files.ts';
import { png } from '../support/pictures.ts';

/** A picture file to damage. */
export interface SeedFile {
  readonly name: string;
  readonly bytes: Buffer;
  readonly format: SourceFormat | undefined;
  /** Costs a decoder more than a moment: taken seldom. */
  readonly large: boolean;
}

/** Odd files of public collections; they lie beside the checkout, and may be absent. */
export const ODD_FILES = join(import.meta.dirname, '../../../shared/data/test/robust');
const MANY_PIXELS = 400_000;
const MANY_BYTES = 200_000;

/** Small good files of every kind, and the odd ones where they are there. */
export async function seedFiles(): Promise<SeedFile[]> {
  const source = sharp(await png(60, 52));
  const others = await Promise.all([
    source.clone().webp().toBuffer(),
    source.clone().webp({ lossless: true }).toBuffer(),
    source.clone().tiff({ compression: 'lzw' }).toBuffer(),
    source.clone().tiff({ compression: 'jpeg', tile: true, tileWidth: 32, tileHeight: 32 }).toBuffer(),
    source.clone().avif({ effort: 0 }).toBuffer(),
  ]);
  const own = [...(await goodFiles()), ...others.map((bytes, i) => ({ name: `other ${i}`, bytes }))];
  return [...own, ...oddFiles()].map(({ name, bytes }) => ({ name, bytes, format: sniffFormat(bytes), large: isLarge(bytes) }));
}

function oddFiles(): { name: string; bytes: Buffer }[] {
  if (!existsSync(ODD_FILES)) return [];
  return readdirSync(ODD_FILES, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'SOURCES.md')
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path).size < 2 * 2 ** 20)
    .sort()
    .map((path) => ({ name: path.slice(ODD_FILES.length + 1), bytes: readFileSync(path) }));
}

function isLarge(bytes: Buffer): boolean {
  if (bytes.length > MANY_BYTES) return true;
  try {
    const { width = 0, height = 0 } = probeHeader(bytes);
    return width * height > MANY_PIXELS && width <= 4096 && height <= 4096;
  } catch {
    return false;
  }
}
