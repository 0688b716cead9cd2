/** A piece of work that has begun; `done` resolves at its end, however it ends, and never rejects. */
export interface Begun {
  readonly done: Promise<void>;
}

/** Takes the job whose turn it is from the database and begins it; undefined when none is due. Never rejects. */
export type Take = () => Promise<Begun | undefined>;

/** That a job is in another state, or further, than before. */
export interface News {
  readonly id: string;
  readonly state: string;
}

/** What a process does with messages of the others. */
export interface Listener {
  /** One job changed, in this process or another. */
  news(news: News): void;
  /** Something changed, or messages may have been lost: who waits for a job should look for himself. */
  look(): void;
}

/**
 * How processes learn that there is work and what became of it. It holds ids and nothing else: which
 * job is in which state, who runs it and what it costs is in the database alone. So an announcement
 * that is lost costs time and no job (the sweep announces it again), and one too many does no harm
 * (the database gives each job to one process).
 */
export interface JobQueue {
  /**
   * Tells that a job waits in the database; one worker with a free slot calls its `take` for it,
   * `delay` milliseconds from now at the earliest.
   * @throws whatever the queue's server makes of it, within seconds; the job is not lost by that
   */
  announce(id: string, delay?: number): Promise<void>;
  /** From now on this process works: `take` is called for announcements, at most `slots` are running at once. */
  work(take: Take, slots: number): void;
  /** This process takes no more; what it has begun goes on. */
  rest(): Promise<void>;
  /** Tells every process of a change, this one included. @throws as `announce` */
  tell(news: News): Promise<void>;
  /** Who hears of changes; one listener a process. */
  listen(listener: Listener): void;
  /**
   * Announcements that no worker has taken, those with a delay included; undefined where none are kept
   * because the workers look into the database themselves.
   * @throws as `announce`
   */
  announced(): Promise<number | undefined>;
  /** Ends the connections; safe to call twice. */
  close(): Promise<void>;
}
