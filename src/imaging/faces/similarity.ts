/** A place in a picture: pixel (i, j) covers [i, i+1) × [j, j+1), its centre is at + ½. */
export type Point = readonly [x: number, y: number];

/** Turns, scales and moves, without mirroring: x' = a·x − b·y + x0, y' = b·x + a·y + y0. */
export interface Similarity {
  readonly a: number;
  readonly b: number;
  readonly x0: number;
  readonly y0: number;
}

export const apply = ({ a, b, x0, y0 }: Similarity, [x, y]: Point): Point => [a * x - b * y + x0, b * x + a * y + y0];

/** Length of a unit after the mapping. */
export const scaleOf = ({ a, b }: Similarity): number => Math.hypot(a, b);

export function inverse({ a, b, x0, y0 }: Similarity): Similarity {
  const square = a * a + b * b;
  return { a: a / square, b: -b / square, x0: -(a * x0 + b * y0) / square, y0: (b * x0 - a * y0) / square };
}

/** First `first`, then `second`. */
export function compose(first: Similarity, second: Similarity): Similarity {
  const [x0, y0] = apply(second, [first.x0, first.y0]);
  return { a: second.a * first.a - second.b * first.b, b: second.b * first.a + second.a * first.b, x0, y0 };
}

/**
 * The similarity that brings `from` nearest to `to` (least squares); undefined when the points of
 * `from` are one point, or fewer than two. In the plane this is linear regression of complex numbers.
 *
 * Source: S. Umeyama, Least-Squares Estimation of Transformation Parameters Between Two Point
 * Patterns, PAMI 13 (1991), without its reflections.
 */
export function fitSimilarity(from: readonly Point[], to: readonly Point[]): Similarity | undefined {
  const [fx, fy] = meanOf(from);
  const [tx, ty] = meanOf(to);
  let [real, imaginary, square] = [0, 0, 0];
  from.forEach(([x, y], i) => {
    const [u, v] = to[i] as Point;
    const [dx, dy, du, dv] = [x - fx, y - fy, u - tx, v - ty];
    real += dx * du + dy * dv;
    imaginary += dx * dv - dy * du;
    square += dx * dx + dy * dy;
  });
  if (from.length < 2 || square < 1e-9) return undefined;
  const [a, b] = [real / square, imaginary / square];
  return a * a + b * b < 1e-12 ? undefined : { a, b, x0: tx - (a * fx - b * fy), y0: ty - (b * fx + a * fy) };
}

/** Root mean square distance between mapped `from` and `to`. */
export function misfit(map: Similarity, from: readonly Point[], to: readonly Point[]): number {
  const sum = from.reduce((total, point, i) => total + distance(apply(map, point), to[i] as Point) ** 2, 0);
  return Math.sqrt(sum / from.length);
}

export const distance = ([x, y]: Point, [u, v]: Point): number => Math.hypot(x - u, y - v);

export function meanOf(points: readonly Point[]): Point {
  const sum = points.reduce<[number, number]>(([x, y], [u, v]) => [x + u, y + v], [0, 0]);
  return [sum[0] / points.length, sum[1] / points.length];
}
