import sharp, { type Sharp } from 'sharp';
import { exactLumaAt } from '../../imaging/picture.ts';

/** 8-bit samples, row by row, channels interleaved. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

/** A picture file as RGB; grey becomes three equal channels, transparency is dropped. */
export async function decodeRgb(file: Buffer | string): Promise<Pixels> {
  const { data, info } = await sharp(file).removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`expected three channels, decoded ${info.channels}`);
  return { width: info.width, height: info.height, channels: 3, data };
}

/** Lossless file of the samples as they are. */
export function encodePng(pixels: Pixels): Promise<Buffer> {
  return raw(pixels).png({ compressionLevel: 1 }).toBuffer();
}

/** libjpeg-turbo with its standard (Annex K) tables, as the public test sets were made. */
export function encodeJpeg(pixels: Pixels, quality: number, chromaSubsampling: '4:2:0' | '4:4:4' = '4:2:0'): Promise<Buffer> {
  return raw(pixels)
    .jpeg({ quality, chromaSubsampling, mozjpeg: false, trellisQuantisation: false, quantisationTable: 0, overshootDeringing: false })
    .toBuffer();
}

/** A sharp image on the samples. */
export function raw({ data, width, height, channels }: Pixels): Sharp {
  const image = sharp(data, { raw: { width, height, channels } });
  return channels === 1 ? image.toColourspace('b-w') : image;
}

/** ITU-R BT.601 luma, rounded: one channel. */
export function toGrey({ width, height, data }: Pixels): Pixels {
  const grey = new Uint8Array(width * height);
  for (let i = 0; i < grey.length; i++) grey[i] = Math.round(exactLumaAt(data, i * 3));
  return { width, height, channels: 1, data: grey };
}

/**
 * BT.601 luma in studio range (16-235), rounded: MATLAB's `rgb2ycbcr`, which the literature's grey
 * versions of colour sets were made with.
 */
export function toStudioGrey({ width, height, data }: Pixels): Pixels {
  const grey = new Uint8Array(width * height);
  for (let i = 0; i < grey.length; i++) {
    const [r, g, b] = [data[i * 3] ?? 0, data[i * 3 + 1] ?? 0, data[i * 3 + 2] ?? 0];
    grey[i] = Math.round(16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255);
  }
  return { width, height, channels: 1, data: grey };
}

/** The same grey in three channels. */
export function greyToRgb({ width, height, data }: Pixels): Pixels {
  const rgb = new Uint8Array(data.length * 3);
  for (let i = 0; i < rgb.length; i++) rgb[i] = data[Math.floor(i / 3)] ?? 0;
  return { width, height, channels: 3, data: rgb };
}

/** The picture without its first columns and rows: shifts the block grid of a later compression. */
export function cropTopLeft({ width, height, channels, data }: Pixels, by: number): Pixels {
  const cropped = new Uint8Array((width - by) * (height - by) * channels);
  const row = (width - by) * channels;
  for (let y = by; y < height; y++) {
    const from = (y * width + by) * channels;
    cropped.set(data.subarray(from, from + row), (y - by) * row);
  }
  return { width: width - by, height: height - by, channels, data: cropped };
}
