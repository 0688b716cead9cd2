import type { Dice } from './dice.ts';
import { jpegFile, MARKER, readSegments } from './jpeg.ts';
import { PNG_SIGNATURE, pngFile, readChunks, text } from './png.ts';

const latin = (content: string) => Buffer.from(content, 'latin1');

/** What is no picture of an accepted format, or pretends to be one: loaders that must never see it are many. */
const FORMATS: Readonly<Record<string, Buffer>> = {
  'SVG that reads a file': latin(
    '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><text>&x;</text></svg>',
  ),
  'SVG that loads a link': latin(
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="64" height="64"><image xlink:href="http://127.0.0.1/x.png" width="64" height="64"/></svg>',
  ),
  'SVG of 10^9 pixels': latin(
    '<svg xmlns="http://www.w3.org/2000/svg" width="30000" height="30000"><rect width="100%" height="100%"/></svg>',
  ),
  HTML: latin('<!doctype html><script>fetch("http://127.0.0.1/")</script>'),
  PDF: latin(
    '%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj 3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 64 64]>>endobj\ntrailer<</Root 1 0 R>>',
  ),
  GIF: Buffer.concat([
    latin('GIF89a'),
    Buffer.from([64, 0, 64, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255, 0x2c, 0, 0, 0, 0, 64, 0, 64, 0, 0, 2, 1, 0x44, 0, 0x3b]),
  ]),
  BMP: Buffer.concat([latin('BM'), Buffer.alloc(64, 1)]),
  ICO: Buffer.from([0, 0, 1, 0, 1, 0, 64, 64, 0, 0, 1, 0, 32, 0, 0, 0, 0, 0, 22, 0, 0, 0]),
  PSD: Buffer.concat([latin('8BPS'), Buffer.from([0, 1, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 64, 0, 0, 0, 64, 0, 8, 0, 3])]),
  'Postscript that runs a command': latin('%!PS\n(%pipe%id > /tmp/mingxi-owned) (w) file\nshowpage'),
  'ImageMagick script': latin('push graphic-context\nviewbox 0 0 640 480\nfill \'url(http://127.0.0.1/x.png"|id")\'\npop graphic-context'),
  MSL: latin('<?xml version="1.0"?><image><read filename="/etc/passwd"/><write filename="/tmp/mingxi-owned"/></image>'),
  OpenEXR: Buffer.concat([Buffer.from([0x76, 0x2f, 0x31, 0x01, 2, 0, 0, 0]), Buffer.alloc(40)]),
  'JPEG 2000': Buffer.concat([Buffer.from([0, 0, 0, 12]), latin('jP  \r\n\x87\n'), Buffer.alloc(40)]),
  'JPEG XL': Buffer.from([0xff, 0x0a, 0xfa, 0x7f, 0x01]),
  HEIC: Buffer.concat([Buffer.from([0, 0, 0, 24]), latin('ftypheic\0\0\0\0mif1heic'), Buffer.alloc(40)]),
  FITS: latin('SIMPLE  =                    T / file does conform'.padEnd(2880)),
  MATLAB: latin('MATLAB 5.0 MAT-file'.padEnd(128)),
  'Netpbm of 10^9 pixels': latin('P6 32000 32000 255\n'),
  Radiance: latin('#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 64 +X 64\n'),
  Analyze: Buffer.concat([Buffer.from([0x5c, 1, 0, 0]), Buffer.alloc(344)]),
  MP4: Buffer.concat([Buffer.from([0, 0, 0, 24]), latin('ftypisom\0\0\0\0isomavc1')]),
  ZIP: latin('PK\x03\x04\x14\0\0\0\0\0'),
  gzip: Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]),
  ELF: latin('\x7fELF\x02\x01\x01\0'),
  'shell script': latin('#!/bin/sh\nid > /tmp/mingxi-owned\n'),
  JSON: latin('{"media_info_list":[]}'),
  'a lone signature of PNG': PNG_SIGNATURE,
  'a lone start of JPEG': Buffer.from([0xff, 0xd8, 0xff]),
  'a lone start of WebP': latin('RIFF\x10\0\0\0WEBPVP8X'),
  'a lone start of TIFF': latin('II*\0\x08\0\0\0'),
  nothing: Buffer.alloc(0),
  'one byte': Buffer.from([0xff]),
  zeros: Buffer.alloc(5000),
};

/** A foreign file, alone or wrapped around, before, behind or inside a good picture. */
export function impostor(good: Buffer, dice: Dice): [string, Buffer] {
  const name = dice.pick(Object.keys(FORMATS));
  const foreign = FORMATS[name] as Buffer;
  const isPng = good.subarray(0, 8).equals(PNG_SIGNATURE);
  const how = dice.pick(['alone', 'alone', 'before', 'behind', 'inside', 'with noise']);
  const inside = () => {
    if (isPng) {
      const chunks = readChunks(good);
      chunks.splice(1, 0, text('tEXt', 'Comment', foreign));
      return pngFile(chunks);
    }
    const segments = readSegments(good);
    segments.splice(1, 0, { marker: MARKER.COM, data: foreign });
    return jpegFile(segments);
  };
  switch (how) {
    case 'before':
      return [`${name} before a picture`, Buffer.concat([foreign, good])];
    case 'behind':
      return [`${name} behind a picture`, Buffer.concat([good, foreign])];
    case 'inside':
      return [`${name} inside a picture`, inside()];
    case 'with noise':
      return [`${name} with noise`, Buffer.concat([foreign, dice.bytes(dice.below(400))])];
    default:
      return [name, foreign];
  }
}
