import { extname } from 'node:path';
import type { RestoreOutcome } from '../../pipeline/report.ts';

/** A format that results can have. */
export type ResultFormat = RestoreOutcome['format'];

const RESULT_ENDINGS: Readonly<Record<string, ResultFormat>> = {
  '.jpg': 'jpg',
  '.jpeg': 'jpg',
  '.jpe': 'jpg',
  '.jfif': 'jpg',
  '.png': 'png',
  '.webp': 'webp',
};
const SOURCE_ENDINGS = new Set([...Object.keys(RESULT_ENDINGS), '.tif', '.tiff', '.avif']);

/** The result format a file name promises; undefined for any other ending. */
export function resultFormat(path: string): ResultFormat | undefined {
  return RESULT_ENDINGS[extname(path).toLowerCase()];
}

/** True for names that a folder's pictures have; other files in a folder are none of our business. */
export function looksLikePicture(path: string): boolean {
  return SOURCE_ENDINGS.has(extname(path).toLowerCase());
}

/** The name with an ending that tells the truth; a right one stays as it is written (`.JPEG`). */
export function withFormat(path: string, format: ResultFormat): string {
  if (resultFormat(path) === format) return path;
  const ending = extname(path);
  return `${path.slice(0, path.length - ending.length)}.${format}`;
}
