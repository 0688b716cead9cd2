import type { Candidate } from './face.ts';
import type { Point } from './similarity.ts';
import type { FivePoints } from './template.ts';

/** One output of a detector: values of `channels` numbers each, in reading order of the cells. */
export interface DetectorOutput {
  readonly data: Float32Array;
  readonly channels: number;
}

/** Families of detectors, by how their outputs lie; every one at the strides 8, 16 and 32. */
export type DetectorFamily = 'mingxi' | 'yunet' | 'scrfd';

const STRIDES = [8, 16, 32] as const;

/**
 * What a detector saw in a picture of `width` × `height` px (multiples of 32): everything that scores
 * at least `least`, in that picture's coordinates. Which output is which follows from their sizes.
 */
export function decodeDetections(
  family: DetectorFamily,
  outputs: readonly DetectorOutput[],
  width: number,
  height: number,
  least: number,
): Candidate[] {
  return STRIDES.flatMap((stride) => {
    const grid = { stride, columns: width / stride, rows: height / stride, least };
    return DECODERS[family](grid, outputs);
  });
}

interface Grid {
  readonly stride: number;
  readonly columns: number;
  readonly rows: number;
  readonly least: number;
}

const DECODERS: Readonly<Record<DetectorFamily, (grid: Grid, outputs: readonly DetectorOutput[]) => Candidate[]>> = {
  mingxi,
  yunet,
  scrfd,
};

/** The outputs of one stride with so many numbers a cell, in the order of the file. */
function ofGrid({ columns, rows }: Grid, outputs: readonly DetectorOutput[], channels: number, anchors: number): Float32Array[] {
  const length = columns * rows * anchors * channels;
  return outputs.filter((output) => output.channels === channels && output.data.length === length).map((output) => output.data);
}

/** 15 numbers a cell from its centre, in strides: score, centre, log of the sides, five points. */
function mingxi(grid: Grid, outputs: readonly DetectorOutput[]): Candidate[] {
  const [map] = ofGrid(grid, outputs, 15, 1);
  if (!map) return [];
  return cells(grid, 1, (cell, column, row) => {
    const at = cell * 15;
    const score = map[at] as number;
    if (!(score >= grid.least)) return undefined;
    const { stride } = grid;
    const [x, y] = [(column + 0.5) * stride, (row + 0.5) * stride];
    const [width, height] = [Math.exp(map[at + 3] as number) * stride, Math.exp(map[at + 4] as number) * stride];
    return {
      left: x + (map[at + 1] as number) * stride - width / 2,
      top: y + (map[at + 2] as number) * stride - height / 2,
      ...{ width, height, score },
      points: pointsFrom(map, at + 5, x, y, stride),
    };
  });
}

/** From the cell's corner, in strides: class, object, centre and log of the sides, five points. */
function yunet(grid: Grid, outputs: readonly DetectorOutput[]): Candidate[] {
  const [first, second] = ofGrid(grid, outputs, 1, 1);
  const [boxes] = ofGrid(grid, outputs, 4, 1);
  const [points] = ofGrid(grid, outputs, 10, 1);
  if (!first || !second || !boxes || !points) return [];
  return cells(grid, 1, (cell, column, row) => {
    // The product of class and object: which of them comes first does not matter.
    const score = Math.sqrt(unit(first[cell]) * unit(second[cell]));
    if (!(score >= grid.least)) return undefined;
    const { stride } = grid;
    const [x, y] = [column * stride, row * stride];
    const [width, height] = [Math.exp(boxes[cell * 4 + 2] as number) * stride, Math.exp(boxes[cell * 4 + 3] as number) * stride];
    return {
      left: x + (boxes[cell * 4] as number) * stride - width / 2,
      top: y + (boxes[cell * 4 + 1] as number) * stride - height / 2,
      ...{ width, height, score },
      points: pointsFrom(points, cell * 10, x, y, stride),
    };
  });
}

/** Two anchors at the cell's corner, in strides: score, distances to the four sides, five points. */
function scrfd(grid: Grid, outputs: readonly DetectorOutput[]): Candidate[] {
  const [scores] = ofGrid(grid, outputs, 1, 2);
  const [boxes] = ofGrid(grid, outputs, 4, 2);
  const [points] = ofGrid(grid, outputs, 10, 2);
  if (!scores || !boxes || !points) return [];
  return cells(grid, 2, (cell, column, row) => {
    const score = scores[cell] as number;
    if (!(score >= grid.least)) return undefined;
    const { stride } = grid;
    const [x, y] = [column * stride, row * stride];
    const [left, top, right, bottom] = [0, 1, 2, 3].map((side) => (boxes[cell * 4 + side] as number) * stride) as [
      number,
      number,
      number,
      number,
    ];
    return {
      left: x - left,
      top: y - top,
      width: left + right,
      height: top + bottom,
      score,
      points: pointsFrom(points, cell * 10, x, y, stride),
    };
  });
}

const unit = (value: number | undefined) => Math.min(1, Math.max(0, value ?? 0));

function cells(
  { columns, rows }: Grid,
  anchors: number,
  read: (cell: number, column: number, row: number) => Candidate | undefined,
): Candidate[] {
  const found: Candidate[] = [];
  for (let row = 0, cell = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (let anchor = 0; anchor < anchors; anchor++, cell++) {
        const candidate = read(cell, column, row);
        // A network that overflows gives boxes without a size: they are no faces.
        if (candidate && candidate.width > 1 && candidate.height > 1 && Number.isFinite(candidate.width + candidate.height))
          found.push(candidate);
      }
    }
  }
  return found;
}

function pointsFrom(values: Float32Array, at: number, x: number, y: number, stride: number): FivePoints {
  return [0, 2, 4, 6, 8].map(
    (i): Point => [x + (values[at + i] as number) * stride, y + (values[at + i + 1] as number) * stride],
  ) as unknown as FivePoints;
}
