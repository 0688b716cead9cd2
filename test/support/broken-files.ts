import sharp, { type Sharp } from 'sharp';
import { jpeg, png, seededRandom } from './pictures.ts';

export interface BrokenFile {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Good files of every common kind, made small so that a flipped byte is likely to matter. */
export async function goodFiles(): Promise<BrokenFile[]> {
  const source = sharp(await png(72, 56));
  const make = async (name: string, made: Sharp) => ({ name, bytes: await made.toBuffer() });
  return Promise.all([
    make('baseline.jpg', source.clone().jpeg({ quality: 70, mozjpeg: false })),
    make('progressive.jpg', source.clone().jpeg({ progressive: true })),
    make('444.jpg', source.clone().jpeg({ chromaSubsampling: '4:4:4', optimiseCoding: true })),
    make('grey.jpg', source.clone().greyscale().jpeg()),
    make('cmyk.jpg', source.clone().toColourspace('cmyk').jpeg()),
    make(
      'exif.jpg',
      source
        .clone()
        .withExif({ IFD0: { Copyright: 'nobody' } })
        .withMetadata({ orientation: 6 })
        .jpeg(),
    ),
    make('truecolour.png', source.clone().png()),
    make('interlaced.png', source.clone().png({ progressive: true })),
    make('palette.png', source.clone().png({ palette: true, colours: 16 })),
    make('alpha.png', source.clone().ensureAlpha(0.5).png()),
    make('sixteen.png', source.clone().toColourspace('rgb16').png()),
    make('grey.png', source.clone().greyscale().png()),
    { name: 'noisy.jpg', bytes: await jpeg(60, 60) },
  ]);
}

/** Truncations, flipped, zeroed, repeated, removed and swapped bytes of good files; the same for the same seed. */
export async function brokenFiles(count: number, seed = 20261122): Promise<BrokenFile[]> {
  const good = await goodFiles();
  const random = seededRandom(seed);
  const at = (length: number) => Math.floor(random() * length);
  return Array.from({ length: count }, (_, i) => {
    const file = good[i % good.length] ?? { name: '', bytes: Buffer.alloc(0) };
    const [kind, bytes] = damage(file.bytes, at(6), at);
    return { name: `${i} ${file.name} ${kind}`, bytes };
  });
}

/** One of six kinds of damage to the bytes. @param at a number below the given one */
export function damage(good: Buffer, kind: number, at: (length: number) => number): [string, Buffer] {
  const place = at(good.length);
  const bytes = Buffer.from(good);
  switch (kind) {
    case 0:
      return [`cut at ${place}`, bytes.subarray(0, Math.max(1, place))];
    case 1:
      bytes.writeUInt8(at(256), place);
      return [`byte ${place} changed`, bytes];
    case 2: {
      const flips = 1 + at(40);
      for (let i = 0; i < flips; i++) {
        const where = at(bytes.length);
        bytes.writeUInt8(bytes.readUInt8(where) ^ (1 << at(8)), where);
      }
      return [`${flips} bits flipped`, bytes];
    }
    case 3:
      return [`zeros at ${place}`, bytes.fill(0, place, Math.min(bytes.length, place + 1 + at(64)))];
    case 4:
      return [`hole at ${place}`, Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + 1 + at(64))])];
    default:
      return [`doubled at ${place}`, Buffer.concat([bytes.subarray(0, place), bytes.subarray(Math.max(0, place - 100))])];
  }
}
