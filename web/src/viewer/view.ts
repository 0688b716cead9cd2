/** Where the eye is: `x`, `y` = picture pixel in the middle of the pane, `scale` = screen pixels per picture pixel. */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** One picture pixel on eight screen pixels: 800 %. */
export const MAX_SCALE = 8;

/** The scale that shows all of the picture; never above 100 % unless the picture is tiny. */
export function fitScale(picture: Size, pane: Size): number {
  const scale = Math.min(pane.width / picture.width, pane.height / picture.height);
  return Math.min(scale, Math.max(1, Math.min(2, scale)));
}

/** The view of the whole picture. */
export function fitView(picture: Size, pane: Size): View {
  return { x: picture.width / 2, y: picture.height / 2, scale: fitScale(picture, pane) };
}

/** Keeps scale in range and the picture in the pane: centred where it is smaller, no gap where it is larger. */
export function clampView(view: View, picture: Size, pane: Size): View {
  const scale = Math.min(MAX_SCALE, Math.max(Math.min(fitScale(picture, pane), 1), view.scale));
  return { scale, x: clampAxis(view.x, picture.width, pane.width / scale), y: clampAxis(view.y, picture.height, pane.height / scale) };
}

function clampAxis(centre: number, picture: number, visible: number): number {
  if (visible >= picture) return picture / 2;
  return Math.min(picture - visible / 2, Math.max(visible / 2, centre));
}

/** Zooms by a factor so that the picture pixel under (`px`, `py`), in screen pixels of the pane, stays there. */
export function zoomAt(view: View, factor: number, px: number, py: number, picture: Size, pane: Size): View {
  const scale = Math.min(MAX_SCALE, Math.max(Math.min(fitScale(picture, pane), 1), view.scale * factor));
  const dx = px - pane.width / 2;
  const dy = py - pane.height / 2;
  const x = view.x + dx / view.scale - dx / scale;
  const y = view.y + dy / view.scale - dy / scale;
  return clampView({ x, y, scale }, picture, pane);
}

/** Screen position, within the pane, of a picture pixel. */
export function toScreen(view: View, pane: Size, x: number, y: number): { readonly x: number; readonly y: number } {
  return { x: (x - view.x) * view.scale + pane.width / 2, y: (y - view.y) * view.scale + pane.height / 2 };
}

/** The level of a pyramid to draw from: the smallest that is not enlarged. */
export function levelFor(scale: number, levels: number): number {
  const wanted = Math.floor(Math.log2(1 / Math.max(scale, 1e-6)) + 1e-9);
  return Math.min(levels - 1, Math.max(0, wanted));
}
