import { isWireObject } from './json-body.ts';

type Point = [number, number];

/** Numbers of points per face that the family's detectors give. */
const POINT_COUNTS = new Set([5, 68, 106, 118]);
const MAX_FACES = 100;
const MAX_DEPTH = 5;
const MAX_COORDINATE = 65_535;

/**
 * Faces that a client already knows, from `media_extra` in whatever shape it carries them: a list of
 * points per face (pairs, `{x, y}` or flat numbers) or of boxes, given as two opposite corners.
 * Pixel coordinates of the upright source. Undefined when nothing usable is in it: the description
 * is optional, so nothing here is ever an error.
 */
export function facePointsOf(mediaExtra: unknown): Point[][] | undefined {
  const faces: Point[][] = [];
  collect(mediaExtra, faces, 0);
  return faces.length > 0 ? faces.slice(0, MAX_FACES) : undefined;
}

function collect(value: unknown, faces: Point[][], depth: number): void {
  if (depth > MAX_DEPTH || faces.length >= MAX_FACES) return;
  const face = pointsOf(value) ?? (isWireObject(value) ? (pointsWithin(value) ?? boxOf(value)) : undefined);
  if (face) faces.push(face);
  else if (Array.isArray(value)) for (const item of value.slice(0, MAX_FACES)) collect(item, faces, depth + 1);
  else if (isWireObject(value)) for (const item of Object.values(value).slice(0, MAX_FACES)) collect(item, faces, depth + 1);
}

/** One face's points: pairs, objects, or a flat list of twice as many numbers. */
function pointsOf(value: unknown): Point[] | undefined {
  if (!Array.isArray(value)) return undefined;
  if (POINT_COUNTS.has(value.length / 2) && value.every(isCoordinate)) {
    return Array.from({ length: value.length / 2 }, (_, i): Point => [Number(value[2 * i]), Number(value[2 * i + 1])]);
  }
  if (!POINT_COUNTS.has(value.length)) return undefined;
  const points = value.map(pointOf);
  return points.every((point) => point !== undefined) ? points : undefined;
}

/** Points directly inside a face's object win over its box: they say more. */
function pointsWithin(face: Readonly<Record<string, unknown>>): Point[] | undefined {
  for (const value of Object.values(face)) {
    const points = pointsOf(value);
    if (points) return points;
  }
  return undefined;
}

function pointOf(value: unknown): Point | undefined {
  const [x, y] = Array.isArray(value) && value.length === 2 ? value : isWireObject(value) ? [value.x, value.y] : [];
  return isCoordinate(x) && isCoordinate(y) ? [x, y] : undefined;
}

/** A box by its members, or as `box`: [x, y, side] (our own report) or [x, y, width, height]. */
function boxOf(face: Readonly<Record<string, unknown>>): Point[] | undefined {
  const list: unknown = face.box ?? face.bbox;
  if (Array.isArray(list) && (list.length === 3 || list.length === 4) && list.every(isCoordinate)) {
    const [x, y, width, height = width] = list as [number, number, number, number?];
    return corners(x, y, width, height);
  }
  const left = face.left ?? face.x;
  const top = face.top ?? face.y;
  if (!isCoordinate(left) || !isCoordinate(top)) return undefined;
  if (isCoordinate(face.width) && isCoordinate(face.height)) return corners(left, top, face.width, face.height);
  if (isCoordinate(face.right) && isCoordinate(face.bottom)) return corners(left, top, face.right - left, face.bottom - top);
  return undefined;
}

function corners(x: number, y: number, width: number, height: number): Point[] | undefined {
  return width > 0 && height > 0
    ? [
        [x, y],
        [x + width, y + height],
      ]
    : undefined;
}

function isCoordinate(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && Math.abs(value) <= MAX_COORDINATE;
}
