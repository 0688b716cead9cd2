/** A Gaussian as the sum of three second-order recursions. */
export interface RecursiveGaussian {
  readonly radius: number;
  /** Weight of the input, and of the last output, per recursion. */
  readonly input: readonly [number, number, number];
  readonly feedback: readonly [number, number, number];
}

/**
 * The recursive Gaussian of D. Charalampidis, Recursive Implementation of the Gaussian Filter Using
 * Truncated Cosine Functions, IEEE TSP 64 (2016); numbers are its equations. SSIMULACRA 2 is defined
 * with this filter rather than a true Gaussian.
 */
export function recursiveGaussian(sigma: number): RecursiveGaussian {
  const radius = Math.round(3.2795 * sigma + 0.2546); // 57
  const omega = [1, 3, 5].map((k) => (k * Math.PI) / (2 * radius)) as Three;
  const sign = [1, -1, 1];
  const p = omega.map((w, k) => (sign[k] as number) / Math.tan(w / 2)) as Three; // 37
  const r = omega.map((w, k) => ((sign[k] as number) * (p[k] as number) ** 2) / Math.sin(w)) as Three; // 44
  const rho = omega.map((w) => Math.exp(-0.5 * (sigma * w) ** 2) / radius) as Three; // 50
  const d = p[0] * r[1] - r[0] * p[1]; // 52
  const zeta = [(p[1] * r[2] - r[1] * p[2]) / d, (p[2] * r[0] - r[2] * p[0]) / d, 1] as Three;
  const gamma = [1, radius ** 2 - sigma ** 2, zeta[0] * rho[0] + zeta[1] * rho[1] + rho[2]] as Three; // 55
  const beta = solve([p, r, zeta], gamma); // 53, 56
  return {
    radius,
    input: omega.map((w, k) => -(beta[k] as number) * Math.cos(w * (radius + 1))) as Three, // 33
    feedback: omega.map((w) => 2 * Math.cos(w)) as Three,
  };
}

/** A plane blurred along its rows, and turned over: height × width. Beyond the edges it is black. */
export function blurTransposed(plane: Float64Array, width: number, height: number, filter: RecursiveGaussian): Float64Array {
  const { radius, input, feedback } = filter;
  const [n0, n1, n2] = input;
  const [d0, d1, d2] = feedback;
  const out = new Float64Array(plane.length);
  for (let y = 0; y < height; y++) {
    const row = y * width;
    let [a0, a1, a2, b0, b1, b2] = [0, 0, 0, 0, 0, 0];
    for (let x = 1 - radius; x < width; x++) {
      const [left, right] = [x - radius - 1, x + radius - 1];
      const sum = (left >= 0 ? (plane[row + left] as number) : 0) + (right < width ? (plane[row + right] as number) : 0);
      const c0 = n0 * sum + d0 * a0 - b0;
      const c1 = n1 * sum + d1 * a1 - b1;
      const c2 = n2 * sum + d2 * a2 - b2;
      [b0, b1, b2] = [a0, a1, a2];
      [a0, a1, a2] = [c0, c1, c2];
      if (x >= 0) out[x * height + y] = c0 + c1 + c2;
    }
  }
  return out;
}

type Three = [number, number, number];

/** Three equations by Cramer's rule. */
function solve(rows: readonly [Three, Three, Three], right: Three): Three {
  const whole = determinant(rows);
  const replaced = (column: number) =>
    rows.map((row, i) => row.map((value, j) => (j === column ? (right[i] as number) : value))) as [Three, Three, Three];
  return [0, 1, 2].map((column) => determinant(replaced(column)) / whole) as Three;
}

const determinant = ([[a, b, c], [d, e, f], [g, h, i]]: readonly [Three, Three, Three]) =>
  a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
