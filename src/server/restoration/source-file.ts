import { open, stat, writeFile } from 'node:fs/promises';
import type { Fetcher } from '../../fetcher/fetcher.ts';
import { checkFileSize, checkHeader, type Header, probeHeader } from '../../imaging/header.ts';
import type { PictureLimits } from '../../limits.ts';
import { decodeBase64 } from '../dialect/base64.ts';
import type { WireSource } from '../dialect/media-list.ts';

/** A source picture on disk whose header has passed the limits. */
export interface SourceFile {
  readonly path: string;
  readonly bytes: number;
  /** As the header states it; undefined for formats whose headers only the codec reads. */
  readonly pixels: number | undefined;
  readonly format: Header['format'];
}

export interface SourceOptions {
  readonly limits: PictureLimits;
  readonly fetcher: Pick<Fetcher, 'download'>;
  readonly signal?: AbortSignal;
  /** Milliseconds a download may take at most. */
  readonly timeout?: number;
}

/** More than any honest header needs; extended XMP, depth maps and previews lie before the JPEG frame header. */
const HEADER_BYTES = 8 * 1024 * 1024;

/**
 * Puts a wire source into a file and looks at its header, before the picture takes a place in the
 * queue: what can be refused cheaply is refused here.
 * @throws AppError of base64, link, file size, format, pixel size
 */
export async function saveSource(source: WireSource, path: string, options: SourceOptions): Promise<SourceFile> {
  if (source.kind === 'link') {
    await options.fetcher.download(source.link, path, downloadOptions(options));
    return inspectSource(path, options.limits);
  }
  const bytes = decodeBase64(source.text, options.limits.maxBytes);
  const file = lookAt(bytes, bytes.length, path, options.limits);
  await writeFile(path, bytes, { mode: 0o600, flag: 'wx' });
  return file;
}

/** The checks of `saveSource` on a file that is already there. */
export async function inspectSource(path: string, limits: PictureLimits): Promise<SourceFile> {
  const { size } = await stat(path);
  checkFileSize(size, limits);
  return lookAt(await readStart(path, Math.min(size, HEADER_BYTES)), size, path, limits);
}

function lookAt(start: Uint8Array, size: number, path: string, limits: PictureLimits): SourceFile {
  checkFileSize(size, limits);
  const header = probeHeader(start);
  checkHeader(header, size, limits);
  const pixels = header.width !== undefined && header.height !== undefined ? header.width * header.height : undefined;
  return { path, bytes: size, pixels, format: header.format };
}

function downloadOptions({ limits, signal, timeout }: SourceOptions) {
  return { maxBytes: limits.maxBytes, ...(signal ? { signal } : {}), ...(timeout === undefined ? {} : { timeout }) };
}

async function readStart(path: string, length: number): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
