import type { Pyramid } from '../pixels/messages.ts';
import { levelFor, type Size, toScreen, type View } from './view.ts';

/** A part of the canvas, in its own pixels. */
export interface Pane extends Size {
  readonly left: number;
}

/**
 * Draws the part of a picture that falls between `from` and `to` (pixels from the pane's left edge).
 * Cost depends on the pane, not on the picture: only what is seen is drawn, from the nearest level.
 */
export function paint(context: CanvasRenderingContext2D, picture: Pyramid, view: View, pane: Pane, from: number, to: number): void {
  const level = picture.levels[levelFor(view.scale, picture.levels.length)];
  if (level === undefined) return;
  const corner = toScreen(view, pane, 0, 0);
  const scaleX = (picture.width / level.width) * view.scale;
  const scaleY = (picture.height / level.height) * view.scale;
  const seen = { left: Math.max(0, from), right: Math.min(pane.width, to), top: 0, bottom: pane.height };
  context.imageSmoothingEnabled = view.scale < 3; // from 300 % on the pixels themselves are what one looks at
  for (const { x, y, bitmap } of level.tiles) {
    // Whole screen pixels, so that neighbours meet without a seam.
    const left = Math.round(corner.x + x * scaleX);
    const right = Math.round(corner.x + (x + bitmap.width) * scaleX);
    const top = Math.round(corner.y + y * scaleY);
    const bottom = Math.round(corner.y + (y + bitmap.height) * scaleY);
    drawSeen(context, bitmap, { left, right, top, bottom }, seen, pane.left);
  }
}

interface Edges {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Draws a bitmap at `place`, cut to what is `seen`. */
function drawSeen(context: CanvasRenderingContext2D, bitmap: ImageBitmap, place: Edges, seen: Edges, offset: number): void {
  const left = Math.max(place.left, seen.left);
  const right = Math.min(place.right, seen.right);
  const top = Math.max(place.top, seen.top);
  const bottom = Math.min(place.bottom, seen.bottom);
  if (right <= left || bottom <= top) return;
  const x = bitmap.width / (place.right - place.left);
  const y = bitmap.height / (place.bottom - place.top);
  const source = [(left - place.left) * x, (top - place.top) * y, (right - left) * x, (bottom - top) * y] as const;
  context.drawImage(bitmap, ...source, offset + left, top, right - left, bottom - top);
}

/** A chequered ground under transparent pictures. */
export function paintChequers(context: CanvasRenderingContext2D, picture: Size, view: View, pane: Pane): void {
  const corner = toScreen(view, pane, 0, 0);
  const left = Math.max(0, corner.x);
  const top = Math.max(0, corner.y);
  const right = Math.min(pane.width, corner.x + picture.width * view.scale);
  const bottom = Math.min(pane.height, corner.y + picture.height * view.scale);
  const side = 12;
  context.fillStyle = '#fff';
  context.fillRect(pane.left + left, top, right - left, bottom - top);
  context.fillStyle = '#d4d4d4';
  context.beginPath();
  for (let y = Math.floor(top / side); y * side < bottom; y++) {
    for (let x = Math.floor(left / side) + ((Math.floor(left / side) + y) & 1); x * side < right; x += 2) {
      const x0 = Math.max(left, x * side);
      const y0 = Math.max(top, y * side);
      context.rect(pane.left + x0, y0, Math.min(right, (x + 1) * side) - x0, Math.min(bottom, (y + 1) * side) - y0);
    }
  }
  context.fill();
}
