import { withExif } from '../save/exif.ts';
import { zip } from '../save/zip.ts';
import type { BlendOrder, KeptFace, Level, Orders, Pyramid, Request, Response, Tile } from './messages.ts';

/** Side of a piece in pixels: 4 MB. */
const TILE = 1024;

type Canvas = { readonly canvas: OffscreenCanvas; readonly context: OffscreenCanvasRenderingContext2D };

self.onmessage = async ({ data }: MessageEvent<Request>) => {
  try {
    const answer = await work(data);
    const transfer = isPyramid(answer) ? answer.levels.flatMap(({ tiles }) => tiles.map(({ bitmap }) => bitmap)) : [];
    self.postMessage({ id: data.id, answer } satisfies Response, { transfer });
  } catch (error) {
    self.postMessage({ id: data.id, error: String(error) } satisfies Response);
  }
};

function work(request: Request): Promise<unknown> {
  switch (request.kind) {
    case 'decode':
      return createImageBitmap(request.order.blob).then(pyramid);
    case 'keepFaces':
      return keepFaces(request.order);
    case 'blend':
      return blend(request.order);
    case 'thumbnail':
      return thumbnail(request.order.blob, request.order.side);
    case 'zip':
      return zip(request.order.entries);
  }
}

const isPyramid = (answer: unknown): answer is Pyramid => typeof answer === 'object' && answer !== null && 'levels' in answer;

async function pyramid(full: ImageBitmap): Promise<Pyramid> {
  const { width, height } = full;
  const levels: Level[] = [];
  for (let level = full; ; ) {
    const isLast = Math.max(level.width, level.height) <= 512;
    const next = isLast ? undefined : await half(level);
    levels.push({ width: level.width, height: level.height, tiles: await cut(level) });
    if (next === undefined) return { width, height, levels };
    level = next;
  }
}

function half(bitmap: ImageBitmap): Promise<ImageBitmap> {
  const resizeWidth = Math.max(1, Math.round(bitmap.width / 2));
  const resizeHeight = Math.max(1, Math.round(bitmap.height / 2));
  return createImageBitmap(bitmap, { resizeWidth, resizeHeight, resizeQuality: 'medium' });
}

/** The level in pieces; the whole is let go of when it was cut. */
async function cut(level: ImageBitmap): Promise<Tile[]> {
  const { width, height } = level;
  if (Math.max(width, height) <= TILE) return [{ x: 0, y: 0, bitmap: level }];
  const tiles: Tile[] = [];
  for (let y = 0; y < height; y += TILE) {
    for (let x = 0; x < width; x += TILE) {
      tiles.push({ x, y, bitmap: await createImageBitmap(level, x, y, Math.min(TILE, width - x), Math.min(TILE, height - y)) });
    }
  }
  level.close();
  return tiles;
}

function canvasOf(width: number, height: number): Canvas {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('no canvas of this size');
  return { canvas, context };
}

async function keepFaces({ before, after, kept }: Orders['keepFaces']): Promise<Pyramid> {
  const { canvas, context } = await compose(before, after, 1, kept);
  context.globalCompositeOperation = 'source-over';
  return pyramid(canvas.transferToImageBitmap());
}

async function blend({ before, after, strength, kept, type }: BlendOrder): Promise<Blob> {
  const { canvas } = await compose(before, after, strength, kept);
  const blob = await canvas.convertToBlob({ type, quality: 0.95 });
  // The server's result carries the camera data; a canvas writes none.
  return type === 'image/jpeg' ? withExif(blob, after) : blob;
}

async function compose(beforeFile: Blob, afterFile: Blob, strength: number, kept: readonly KeptFace[]): Promise<Canvas> {
  const [before, after] = await Promise.all([createImageBitmap(beforeFile), createImageBitmap(afterFile)]);
  const result = canvasOf(after.width, after.height);
  const { context } = result;
  context.drawImage(after, 0, 0);
  for (const face of kept) drawKept(context, before, face);
  if (strength < 1) {
    // Weighted sum of premultiplied colours: right for transparent pictures as well.
    const weighted = canvasOf(after.width, after.height);
    weighted.context.globalAlpha = 1 - strength;
    weighted.context.drawImage(before, 0, 0, after.width, after.height);
    weighted.context.globalCompositeOperation = 'lighter';
    weighted.context.globalAlpha = strength;
    weighted.context.drawImage(result.canvas, 0, 0);
    return weighted;
  }
  return result;
}

function drawKept(context: OffscreenCanvasRenderingContext2D, before: ImageBitmap, { x, y, radius }: KeptFace): void {
  const side = Math.ceil(radius * 2);
  const patch = canvasOf(side, side);
  const gradient = patch.context.createRadialGradient(radius, radius, radius * 0.7, radius, radius, radius);
  gradient.addColorStop(0, '#000');
  gradient.addColorStop(1, 'transparent');
  patch.context.drawImage(before, radius - x, radius - y);
  patch.context.globalCompositeOperation = 'destination-in';
  patch.context.fillStyle = gradient;
  patch.context.fillRect(0, 0, side, side);
  context.drawImage(patch.canvas, x - radius, y - radius);
}

async function thumbnail(blob: Blob, side: number): Promise<Blob> {
  const full = await createImageBitmap(blob);
  const scale = Math.min(1, side / Math.min(full.width, full.height));
  const width = Math.min(side * 2, Math.max(1, Math.round(full.width * scale)));
  const height = Math.min(side * 2, Math.max(1, Math.round(full.height * scale)));
  const { canvas, context } = canvasOf(width, height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(full, 0, 0, width, height);
  full.close();
  return canvas.convertToBlob({ type: 'image/webp', quality: 0.8 });
}
