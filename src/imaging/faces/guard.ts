import { lumaAt } from '../picture.ts';
import { FACE_LIMITS } from './limits.ts';
import { faceMask } from './mask.ts';
import { distance, type Point } from './similarity.ts';
import { FACE_SIDE, TEMPLATE_EYES } from './template.ts';

/** What a restoration did to a face. */
export interface Movement {
  /** Largest slow change of a colour within the oval, 0-255. */
  readonly colour: number;
  /** Likeness of source and result at an eighth of the size, −1…1. */
  readonly structure: number;
  /** Mean way of the five points, in distances of the eyes; undefined where nobody looked. */
  readonly points?: number;
}

/** Why a restored face is dropped; undefined for one that stayed who it was. */
export function guardProblem({ colour, structure, points }: Movement): string | undefined {
  if (colour > FACE_LIMITS.colour) return `its colour moved by ${colour.toFixed(1)}`;
  if (structure < FACE_LIMITS.structure) return `its structure changed (likeness ${structure.toFixed(2)})`;
  if (points !== undefined && points > FACE_LIMITS.movement)
    return `its features moved by ${(100 * points).toFixed(0)} % of the eye distance`;
  return undefined;
}

const CELLS = 64;
const CELL = FACE_SIDE / CELLS;
const WINDOW = 8;
/** SSIM's constants for 8-bit samples. */
const C1 = (0.01 * 255) ** 2;
const C2 = (0.03 * 255) ** 2;

/** Mean SSIM of two aligned faces (HWC uint8, 512×512) at an eighth of their size, weighted by the oval. */
export function structureLikeness(one: Uint8Array, other: Uint8Array): number {
  const [a, b] = [cellMeans(one), cellMeans(other)];
  let [sum, weights] = [0, 0];
  for (let y = 0; y + WINDOW <= CELLS; y += 2) {
    for (let x = 0; x + WINDOW <= CELLS; x += 2) {
      const weight = faceMask((x + WINDOW / 2) * CELL, (y + WINDOW / 2) * CELL);
      if (weight === 0) continue;
      sum += weight * likeness(a, b, x, y);
      weights += weight;
    }
  }
  return sum / weights;
}

/** SSIM of one window: Z. Wang et al., Image Quality Assessment, TIP 13 (2004). */
function likeness(a: Float32Array, b: Float32Array, x: number, y: number): number {
  let [sa, sb, saa, sbb, sab] = [0, 0, 0, 0, 0];
  for (let j = 0; j < WINDOW; j++) {
    for (let i = 0, at = (y + j) * CELLS + x; i < WINDOW; i++, at++) {
      const [p, q] = [a[at] as number, b[at] as number];
      sa += p;
      sb += q;
      saa += p * p;
      sbb += q * q;
      sab += p * q;
    }
  }
  const count = WINDOW * WINDOW;
  const [ma, mb] = [sa / count, sb / count];
  const [va, vb, vab] = [saa / count - ma * ma, sbb / count - mb * mb, sab / count - ma * mb];
  return ((2 * ma * mb + C1) * (2 * vab + C2)) / ((ma * ma + mb * mb + C1) * (va + vb + C2));
}

function cellMeans(rgb: Uint8Array): Float32Array {
  const means = new Float32Array(CELLS * CELLS);
  for (let y = 0, at = 0; y < FACE_SIDE; y++) {
    const row = Math.floor(y / CELL) * CELLS;
    for (let x = 0; x < FACE_SIDE; x++, at += 3) {
      const to = row + Math.floor(x / CELL);
      means[to] = (means[to] as number) + lumaAt(rgb, at) / (CELL * CELL);
    }
  }
  return means;
}

/** Largest value of a slow change (cells of three channels) where the oval counts. */
export function colourShift(slow: Float32Array): number {
  const cells = Math.sqrt(slow.length / 3);
  const cell = FACE_SIDE / cells;
  let most = 0;
  for (let i = 0; i < slow.length; i++) {
    const place = Math.floor(i / 3);
    const weight = faceMask(((place % cells) + 0.5) * cell, (Math.floor(place / cells) + 0.5) * cell);
    if (weight > 0.5) most = Math.max(most, Math.abs(slow[i] as number));
  }
  return most;
}

/** Mean way of points of the aligned face, in distances of the eyes. */
export function pointsMoved(from: readonly Point[], to: readonly Point[]): number {
  return from.reduce((sum, point, i) => sum + distance(point, to[i] as Point), 0) / from.length / TEMPLATE_EYES;
}
