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

/** A box so much smaller than a surer one (by its side) that shares so much of its own area with it is an ear, a hand, a badge of that person. */
const PART = { smaller: 0.4, shared: 0.25 };

/** Candidates, best first as `suppress` leaves them, without those that are parts of a surer one's head. */
export function withoutParts(candidates: readonly Candidate[]): Candidate[] {
  return candidates.filter((one, i) => candidates.slice(0, i).every((better) => !isPart(one, better)));
}

function isPart(one: Candidate, better: Candidate): boolean {
  const [small, large] = [one.width * one.height, better.width * better.height];
  // By the sides: the square of 0.4 is more than 0.16, and a box of exactly two fifths would count as smaller.
  return Math.sqrt(small) < PART.smaller * Math.sqrt(large) && sharedArea(one, better) > PART.shared * small;
}

function sharedArea(one: Candidate, other: Candidate): number {
  const width = Math.min(one.left + one.width, other.left + other.width) - Math.max(one.left, other.left);
  const height = Math.min(one.top + one.height, other.top + other.height) - Math.max(one.top, other.top);
  return Math.max(0, width) * Math.max(0, height);
}

function sameFace(better: Candidate, other: Candidate): boolean {
  const shared = sharedArea(better, other);
  const [one, two] = [better.width * better.height, other.width * other.height];
  return shared > SAME_FACE * (one + two - shared) || shared > INSIDE * two;
}
