import type { Candidate } from './face.ts';

/** Boxes that share more than this (intersection over union) are one face. */
const SAME_FACE = 0.4;
/** A box of which another covers this much is a part of that face (an eye, a mouth taken for one). */
const INSIDE = 0.85;

/** The best box of each face, best first. */
export function suppress(candidates: readonly Candidate[]): Candidate[] {
  const kept: Candidate[] = [];
  for (const candidate of [...candidates].sort((one, other) => other.score - one.score)) {
    if (kept.every((better) => !sameFace(better, candidate))) kept.push(candidate);
  }
  return kept;
}

function sameFace(better: Candidate, other: Candidate): boolean {
  const width = Math.min(better.left + better.width, other.left + other.width) - Math.max(better.left, other.left);
  const height = Math.min(better.top + better.height, other.top + other.height) - Math.max(better.top, other.top);
  if (width <= 0 || height <= 0) return false;
  const shared = width * height;
  const [one, two] = [better.width * better.height, other.width * other.height];
  return shared > SAME_FACE * (one + two - shared) || shared > INSIDE * two;
}
