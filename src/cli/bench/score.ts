import { psnr, psnrLuma, ssimAgainst } from './metrics.ts';
import type { Pixels } from './pixels.ts';
import { ssimulacra2Against } from './ssimulacra2.ts';
import type { Measured } from './summary.ts';

/** A picture before and after, and what it should be. */
export interface Pair {
  readonly before: Pixels;
  readonly after: Pixels;
  readonly reference: Pixels;
  readonly metric: 'rgb' | 'luma';
}

export type Scores = Pick<Measured, 'input' | 'result' | 'ssimInput' | 'ssimResult' | 'perceivedInput' | 'perceivedResult'>;

/** Against one reference: SSIM and SSIMULACRA 2, which share its part among all pictures. */
interface Against {
  readonly data: Uint8Array;
  readonly similar: (picture: Pixels) => number;
  readonly perceived: (picture: Pixels) => number;
}

/** A function that measures pairs. It keeps what it computed of the last reference: the conditions of one picture come one after the other. */
export function createScorer(): (pair: Pair) => Scores {
  let last: Against | undefined;
  return ({ before, after, reference, metric }) => {
    if (!last || !equal(last.data, reference.data))
      last = { data: reference.data, similar: ssimAgainst(reference), perceived: ssimulacra2Against(reference) };
    const { similar, perceived } = last;
    const decibel = metric === 'rgb' ? psnr : psnrLuma;
    // Clean pictures go in and mostly come out as they are.
    const perceive = (picture: Pixels) => (equal(picture.data, reference.data) ? 100 : perceived(picture));
    return {
      input: finite(decibel(before, reference)),
      result: finite(decibel(after, reference)),
      ssimInput: similar(before),
      ssimResult: similar(after),
      perceivedInput: perceive(before),
      perceivedResult: perceive(after),
    };
  };
}

const equal = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
