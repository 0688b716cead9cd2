import type { Pyramid } from '../pixels/messages.ts';
import { levelFor, type Size, toScreen, type View } from './view.ts';

/** A part of the canvas, in its own pixels. */
export interface Pane extends Size {
  readonly left: number;
}

/**
 * Draws the part of a picture that falls between `from` and `to` (pixels from the pane's left edge).
 * Cost depends on the pane, not on the picture: the source rectangle is cut to what is seen.
 */
export function paint(context: CanvasRenderingContext2D, picture: Pyramid, view: View, pane: Pane, from: number, to: number): void {
  const topLeft = toScreen(view, pane, 0, 0);
  const left = Math.max(from, topLeft.x, 0);
  const right = Math.min(to, topLeft.x + picture.width * view.scale, pane.width);
  const top = Math.max(topLeft.y, 0);
  const bottom = Math.min(topLeft.y + picture.height * view.scale, pane.height);
  if (right <= left || bottom <= top) return;
  const index = levelFor(view.scale, picture.levels.length);
  const bitmap = picture.levels[index];
  if (bitmap === undefined) return;
  const perPixelX = bitmap.width / picture.width / view.scale;
  const perPixelY = bitmap.height / picture.height / view.scale;
  context.imageSmoothingEnabled = view.scale < 3; // from 300 % on the pixels themselves are what one looks at
  context.drawImage(
    bitmap,
    (left - topLeft.x) * perPixelX,
    (top - topLeft.y) * perPixelY,
    (right - left) * perPixelX,
    (bottom - top) * perPixelY,
    pane.left + left,
    top,
    right - left,
    bottom - top,
  );
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
