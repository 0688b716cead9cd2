import { paint, pngOf, pointsOf } from '../support/painted-faces.ts';
import type { Arsenal, HttpAttack } from './attack.ts';
import type { Dice } from './dice.ts';

type Point = [number, number];

const SIDE = 160;
const FACES = [
  { x: 50, y: 60, size: 80 },
  { x: 110, y: 95, size: 72, angle: 25 },
] as const;
/** Counts that mean something to the service, and some that do not. */
const COUNTS = [2, 3, 4, 5, 6, 68, 106, 118, 1000];

/** A noisy picture with two painted faces: points that fit them lead to the networks. */
export const facePicture = (): Promise<Buffer> => {
  const rgb = paint({ width: SIDE, height: SIDE, faces: FACES, sigma: 12 });
  return pngOf(rgb, SIDE, SIDE);
};

/** Points of faces that lie, by name. */
const LIES: Readonly<Record<string, (dice: Dice) => unknown>> = {
  'as painted': () => FACES.map(pointsOf),
  shaken: (dice) => FACES.map((face) => pointsOf(face).map(([x, y]) => [x + 30 * dice.next() - 15, y + 30 * dice.next() - 15])),
  mirrored: () => FACES.map((face) => pointsOf(face).map(([x, y]) => [SIDE - x, y])),
  'upside down': () => FACES.map((face) => pointsOf(face).map(([x, y]) => [x, SIDE - y])),
  'in another order': (dice) => FACES.map((face) => pointsOf(face).sort(() => dice.next() - 0.5)),
  'all on one spot': (dice) => [repeat(dice, (): Point => [80, 80])],
  'on one line': (dice) => [repeat(dice, (i): Point => [i, 80])],
  'a line that is nearly a spot': (dice) => [repeat(dice, (i): Point => [80 + i * 1e-9, 80 + i * 1e-12])],
  anywhere: (dice) => [repeat(dice, (): Point => [SIDE * dice.next(), SIDE * dice.next()])],
  outside: (dice) => [repeat(dice, (): Point => [65_535 * (2 * dice.next() - 1), 65_535 * (2 * dice.next() - 1)])],
  'larger than the picture': () => FACES.map((face) => pointsOf({ ...face, size: face.size * 400 })),
  'smaller than a pixel': () => FACES.map((face) => pointsOf({ ...face, size: 1e-3 })),
  'half outside': (dice) => [pointsOf({ x: dice.pick([0, SIDE]), y: dice.pick([0, SIDE, 80]), size: 90 })],
  'one over the other': (dice) =>
    Array.from({ length: dice.pick([2, 8]) }, (_, i) => pointsOf({ x: 60 + i, y: 70, size: 80, angle: 3 * i })),
  'a hundred': (dice) => Array.from({ length: 100 }, () => pointsOf({ x: SIDE * dice.next(), y: SIDE * dice.next(), size: 9 })),
  'boxes by the hundred': (dice) =>
    Array.from({ length: 100 }, (): Point[] => [
      [SIDE * dice.next(), SIDE * dice.next()],
      [SIDE * dice.next(), SIDE * dice.next()],
    ]),
  'numbers at the edge': (dice) => [repeat(dice, (): Point => [dice.pick(EDGES), dice.pick(EDGES)])],
  'no points at all': (dice) =>
    dice.pick<unknown>([[], [[]], [[[]]], [[[1]]], [[[1, 2, 3]]], 'x', { box: [1, 2, -3] }, [null], [[['1', '2']]]]),
};

const EDGES = [0, -0, 5e-324, -1, 1e-7, 65_535, -65_535, 65_535.5, 1e308, 2 ** 53];

const repeat = (dice: Dice, point: (i: number) => Point) => Array.from({ length: dice.pick(COUNTS) }, (_, i) => point(i));

/** A picture with faces that are not where the caller says; mostly the face networks compute. */
export function faceAttack(picture: Buffer, dice: Dice, { query }: Arsenal): HttpAttack {
  const name = dice.pick(Object.keys(LIES));
  const points = LIES[name]?.(dice);
  const face = dice.pick(['only', 'only', 'auto']);
  const base64 = picture.toString('base64');
  const isModern = dice.chance(0.3);
  const body = isModern
    ? { image: { base64 }, options: { face, facePoints: points, faceStrength: dice.pick([0.01, 1]) } }
    : {
        media_info_list: [{ media_data: base64, media_extra: dice.pick<unknown>([{ faces: points }, points, [{ landmark: points }]]) }],
        parameter: { face, face_strength: dice.pick([0.01, 1]), rsp_media_type: dice.pick(['jpg', 'png']), report: true },
      };
  return {
    kind: 'http',
    family: 'faces',
    name: `${name}, ${isModern ? '/v2 JSON' : 'base64'}`,
    surface: isModern ? 'v2' : 'v1',
    method: 'POST',
    path: `${isModern ? '/v2/restore' : '/v1/aiquality'}?${query}`,
    headers: { 'content-type': 'application/json', ...(isModern ? { accept: 'application/json' } : {}) },
    body: Buffer.from(JSON.stringify(body)),
  };
}
