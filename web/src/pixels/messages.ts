/** A piece of a level at `x`, `y`. In pieces, because the first use of a 64 MB bitmap costs several frames. */
export interface Tile {
  readonly x: number;
  readonly y: number;
  readonly bitmap: ImageBitmap;
}

export interface Level {
  readonly width: number;
  readonly height: number;
  readonly tiles: readonly Tile[];
}

/** A picture for the screen: `levels[i]` has 2^-i of the full size, so a frame never scales more than ×2 down. */
export interface Pyramid {
  readonly width: number;
  readonly height: number;
  readonly levels: readonly Level[];
}

/** Faces taken from the source instead of the result: centre and radius in picture pixels. */
export interface KeptFace {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

export interface BlendOrder {
  readonly before: Blob;
  readonly after: Blob;
  /** Share of the result, 0…1. */
  readonly strength: number;
  readonly kept: readonly KeptFace[];
  readonly type: 'image/jpeg' | 'image/png' | 'image/webp';
}

export interface ZipEntry {
  readonly name: string;
  readonly blob: Blob;
}

/** What the page asks of its pixel worker, by kind. */
export interface Orders {
  decode: { readonly blob: Blob };
  keepFaces: { readonly before: Blob; readonly after: Blob; readonly kept: readonly KeptFace[] };
  blend: BlendOrder;
  thumbnail: { readonly blob: Blob; readonly side: number };
  zip: { readonly entries: readonly ZipEntry[] };
}

export interface Answers {
  decode: Pyramid;
  keepFaces: Pyramid;
  blend: Blob;
  thumbnail: Blob;
  zip: Blob;
}
export type Kind = keyof Orders;

export type Request = { [K in Kind]: { readonly id: number; readonly kind: K; readonly order: Orders[K] } }[Kind];
export type Response = { readonly id: number; readonly answer?: unknown; readonly error?: string };
