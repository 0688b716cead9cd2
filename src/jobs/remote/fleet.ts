import type { Db } from '../../db/tables.ts';

/** What the processes that work can do together. */
export interface Strength {
  readonly processes: number;
  /** Pictures they restore at once. */
  readonly slots: number;
  /** Megapixels a second of all slots together. */
  readonly speed: number;
}

/** A process writes its sign of life this often, ms. */
const BEAT = 2_000;
/** Three missed signs: no longer counted on. */
const SILENCE = 3 * BEAT;
/** A row that was already this old by the clock when it was first seen is of a process long gone, ms. */
const LONG_GONE = 60_000;
/** Rows older than this are deleted by whoever works, ms. */
const FORGOTTEN = 3_600_000;
/** Weight of the newest picture in the measured speed. */
const WEIGHT = 0.3;
/** Megapixels a second of a slot that has restored nothing yet: a cautious guess. */
const FIRST_SPEED = 1.5;

/** A process's own row in the table of workers. */
export class Muster {
  readonly #db: Db;
  readonly #id: string;
  readonly #slots: number;
  readonly #onError: (error: unknown) => void;
  #speed = FIRST_SPEED;
  #beat = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;

  constructor(db: Db, id: string, slots: number, onError: (error: unknown) => void) {
    this.#db = db;
    this.#id = id;
    this.#slots = slots;
    this.#onError = onError;
  }

  async start(): Promise<void> {
    await this.#write();
    this.#timer = setInterval(() => {
      this.#writing ??= this.#write()
        .catch(this.#onError)
        .finally(() => {
          this.#writing = undefined;
        });
    }, BEAT);
    this.#timer.unref();
  }

  /** A picture was restored in so many seconds. */
  learn(megapixels: number, seconds: number): void {
    if (seconds > 0) this.#speed += WEIGHT * (megapixels / seconds - this.#speed);
  }

  /** Takes the row away: from now on nobody counts on this process. */
  async stop(): Promise<void> {
    if (!this.#timer) return;
    clearInterval(this.#timer);
    await this.#writing;
    await this.#db.deleteFrom('workers').where('id', '=', this.#id).execute();
  }

  async #write(): Promise<void> {
    const now = Date.now();
    const row = { slots: this.#slots, speed: this.#speed, beat: ++this.#beat, seen_at: now };
    await this.#db
      .insertInto('workers')
      .values({ id: this.#id, ...row })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
      .execute();
    await this.#db
      .deleteFrom('workers')
      .where('seen_at', '<', now - FORGOTTEN)
      .execute();
  }
}

/** The processes that work, as another process sees them: by changes of their rows and its own clock. */
export class Fleet {
  readonly #db: Db;
  readonly #now: () => number;
  readonly #seen = new Map<string, { beat: number; since: number }>();
  #strength: Strength = { processes: 0, slots: 0, speed: 0 };
  #looked = Number.NEGATIVE_INFINITY;
  #looking: Promise<Strength> | undefined;

  constructor(db: Db, now: () => number = () => performance.now()) {
    this.#db = db;
    this.#now = now;
  }

  /** As of the last look. */
  get strength(): Strength {
    return this.#strength;
  }

  /** As of now, or of less than `age` milliseconds ago. */
  look(age = 500): Promise<Strength> {
    if (this.#now() - this.#looked < age) return Promise.resolve(this.#strength);
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<Strength> {
    const rows = await this.#db.selectFrom('workers').selectAll().execute();
    const time = this.#now();
    const present = new Set(rows.map((row) => row.id));
    for (const id of this.#seen.keys()) if (!present.has(id)) this.#seen.delete(id);
    const alive = rows.filter((row) => {
      const beat = Number(row.beat);
      const known = this.#seen.get(row.id);
      const isOld = Math.abs(Date.now() - Number(row.seen_at)) > LONG_GONE;
      if (!known) this.#seen.set(row.id, { beat, since: isOld ? Number.NEGATIVE_INFINITY : time });
      else if (known.beat !== beat) this.#seen.set(row.id, { beat, since: time });
      return time - (this.#seen.get(row.id)?.since ?? time) < SILENCE;
    });
    this.#looked = time;
    this.#strength = {
      processes: alive.length,
      slots: alive.reduce((sum, row) => sum + row.slots, 0),
      speed: alive.reduce((sum, row) => sum + row.slots * row.speed, 0),
    };
    return this.#strength;
  }
}
