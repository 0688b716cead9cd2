/** Redraws at most this often (ms). */
const INTERVAL = 100;

/** One line on a terminal's stderr that tells how far the whole command is; silent anywhere else. */
export class ProgressLine {
  readonly #terminal: NodeJS.WriteStream;
  readonly #active: boolean;
  readonly #weights: readonly number[];
  readonly #total: number;
  readonly #done: number[];
  readonly #began = performance.now();
  #finished = 0;
  #drawn = 0;

  /** @param weights share of the work of each picture, e.g. its bytes */
  constructor(weights: readonly number[], terminal: NodeJS.WriteStream = process.stderr) {
    this.#terminal = terminal;
    this.#active = terminal.isTTY === true;
    this.#weights = weights;
    this.#total = Math.max(
      1,
      weights.reduce((sum, weight) => sum + weight, 0),
    );
    this.#done = weights.map(() => 0);
  }

  /** Picture number `index` is done to this part, 0…1. */
  update(index: number, part: number, name: string): void {
    this.#done[index] = part;
    const now = performance.now();
    if (!this.#active || now - this.#drawn < INTERVAL) return;
    this.#drawn = now;
    this.#draw(this.#text(now, name));
  }

  /** Picture number `index` is finished, well or badly. */
  finish(index: number): void {
    this.#done[index] = 1;
    this.#finished += 1;
  }

  /** Takes the line away, so that another message can be written. */
  clear(): void {
    if (this.#active) this.#terminal.write('\r\x1b[K');
  }

  #text(now: number, name: string): string {
    const part = this.#done.reduce((sum, done, i) => sum + done * (this.#weights[i] ?? 0), 0) / this.#total;
    const elapsed = (now - this.#began) / 1000;
    const eta = part > 0.01 ? `  ETA ${clock((elapsed * (1 - part)) / part)}` : '';
    return `[${this.#finished}/${this.#done.length}] ${String(Math.floor(part * 100)).padStart(3)} %${eta}  ${name}`;
  }

  #draw(text: string): void {
    const width = this.#terminal.columns || 80;
    this.#terminal.write(`\r\x1b[K${text.length < width ? text : `${text.slice(0, width - 2)}…`}`);
  }
}

/** Seconds as m:ss. */
function clock(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
