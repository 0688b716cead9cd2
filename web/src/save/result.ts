import type { Face } from '../api/types.ts';
import type { Picture } from '../picture.ts';
import type { KeptFace } from '../pixels/messages.ts';
import type { Pixels } from '../pixels/pool.ts';

export type SaveFormat = 'same' | 'image/jpeg' | 'image/png' | 'image/webp';
type BlendType = Exclude<SaveFormat, 'same'>;

const SUFFIX: Readonly<Record<string, string>> = { 'image/jpeg': 'jpg', 'image/png': 'png', 'image/webp': 'webp' };

/**
 * The result as the screen shows it. Untouched (full strength, all faces, the source's format) it is
 * the server's own file, byte for byte; otherwise it is blended and encoded here.
 */
export async function resultFile(picture: Picture, format: SaveFormat, pixels: Pixels): Promise<{ name: string; blob: Blob }> {
  const { before, after } = picture;
  if (after === null) throw new Error('not restored yet');
  const type = format === 'same' ? blendType(after.type) : format;
  const untouched = picture.strength === 1 && picture.keptFaces.size === 0 && type === after.type;
  const blob =
    untouched || before === null
      ? after
      : await pixels.do('blend', { before, after, strength: picture.strength, kept: keptFaces(picture), type });
  const stem = picture.name.replace(/\.[^.]*$/, '') || 'picture';
  return { name: `${stem}-restored.${SUFFIX[blob.type] ?? 'jpg'}`, blob };
}

/** Discs around the faces that stay as in the source. */
export function keptFaces(picture: Picture): KeptFace[] {
  const faces = picture.job?.report?.faces ?? [];
  return [...picture.keptFaces]
    .map((index) => faces[index])
    .filter((face): face is Face => face !== undefined)
    .map(disc);
}

function disc({ box: [x, y, side] }: Face): KeptFace {
  return { x: x + side / 2, y: y + side / 2, radius: side * 0.75 };
}

/** Hands a file to the browser's download. */
export function offer(name: string, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the download has its own hold by then
}

function blendType(type: string): BlendType {
  return type === 'image/png' || type === 'image/webp' ? type : 'image/jpeg';
}
