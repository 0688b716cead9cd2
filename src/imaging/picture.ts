/** Decoded pixels in stored orientation. All planes share width and height. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** HWC uint8, three channels; grey sources have three equal ones. */
  readonly rgb: Uint8Array;
  /** HWC uint16, three channels, when the container has 16 bits; `rgb` is its rounded copy. */
  readonly deep?: Uint16Array;
  /** HW uint8 or uint16, when the source has alpha. Never fed to a network. */
  readonly alpha?: Uint8Array | Uint16Array;
}

/** Rec. 601 luma of HWC uint8, rounded. JPEG's own luma (ITU-T T.871 §7), so grey survives a round trip. */
export function lumaAt(rgb: Uint8Array, offset: number): number {
  return (19595 * (rgb[offset] as number) + 38470 * (rgb[offset + 1] as number) + 7471 * (rgb[offset + 2] as number) + 32768) >> 16;
}

/** The same, not rounded: where differences of half a level count. */
export function exactLumaAt(rgb: Uint8Array, offset: number): number {
  return 0.299 * (rgb[offset] as number) + 0.587 * (rgb[offset + 1] as number) + 0.114 * (rgb[offset + 2] as number);
}
