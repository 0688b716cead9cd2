import type { Client } from './api/client.ts';
import { ApiError, fromProblem } from './api/types.ts';
import { isActive, newAttempt, type Picture } from './picture.ts';

export interface QueueEvents {
  /** Something of this picture changed. */
  changed(picture: Picture): void;
  finished(picture: Picture): void;
  /** The server refused the key: work stops until there is another. */
  keyRefused(): void;
  offline(isOffline: boolean): void;
}

/** Pictures sent at once: enough to keep the server's queue filled, few enough to keep order. */
const AT_ONCE = 3;
const RETRY_MS = 2000;
/** A picture whose connection is lost this often, though the server answers, has failed. */
const MOST_LOSSES = 3;

/** Sends pictures one after the other, follows them to their end, and cancels for real. */
export class Queue {
  readonly pictures: Picture[] = [];
  readonly #client: Client;
  readonly #events: QueueEvents;
  #paused = false;
  #offline = false;

  constructor(client: Client, events: QueueEvents) {
    this.#client = client;
    this.#events = events;
  }

  add(pictures: readonly Picture[]): void {
    this.pictures.push(...pictures);
    this.#go();
  }

  /** Holds back new work until `resume`, for want of a key. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#go();
  }

  /** Once more from the start. */
  retry(picture: Picture): void {
    const fresh = { attempt: newAttempt(), losses: 0, jobId: null, job: null, error: null, after: null, abort: new AbortController() };
    Object.assign(picture, { status: 'waiting', progress: 0, ...fresh });
    picture.keptFaces.clear();
    this.#events.changed(picture);
    this.#go();
  }

  cancel(picture: Picture): void {
    if (!isActive(picture)) return;
    picture.status = 'cancelled';
    picture.abort.abort();
    if (picture.jobId !== null) this.#client.cancel(picture.jobId).catch(() => undefined);
    this.#events.changed(picture);
    this.#go();
  }

  remove(picture: Picture): void {
    this.cancel(picture);
    const index = this.pictures.indexOf(picture);
    if (index >= 0) this.pictures.splice(index, 1);
    if (picture.thumbnail !== null) URL.revokeObjectURL(picture.thumbnail);
  }

  #go(): void {
    if (this.#paused || this.#offline) return;
    const busy = this.pictures.filter((picture) => isActive(picture) && picture.status !== 'waiting').length;
    for (const picture of this.pictures.filter(({ status }) => status === 'waiting').slice(0, Math.max(0, AT_ONCE - busy))) {
      this.#restore(picture).finally(() => this.#go());
    }
  }

  async #restore(picture: Picture): Promise<void> {
    this.#set(picture, 'sending', 0);
    const { signal } = picture.abort;
    try {
      // After an interruption the job goes on where it was.
      picture.jobId ??= await this.#submit(picture);
      this.#set(picture, 'queued', 0);
      picture.job = await this.#client.follow(picture.jobId, signal, (job) => {
        this.#set(picture, job.state === 'running' ? 'running' : 'queued', job.progress);
      });
      await this.#collect(picture, signal);
    } catch (error) {
      this.#fail(picture, error);
    }
  }

  async #submit(picture: Picture): Promise<string> {
    const { source, settings, attempt, abort } = picture;
    const job = await this.#client.submit(source, settings, attempt, abort.signal, (share) => this.#set(picture, 'sending', share));
    return job.id;
  }

  async #collect(picture: Picture, signal: AbortSignal): Promise<void> {
    const { job } = picture;
    if (job === null || job.state !== 'succeeded' || job.result === undefined) throw fromProblem(job?.error);
    picture.before ??= await this.#client.blob(`/v2/jobs/${job.id}/source`, signal);
    picture.after = await this.#client.blob(`/v2/jobs/${job.id}/result`, signal);
    // Without a picture before, the result is shown alone.
    if (job.report?.source.format === 'tiff') picture.before = await this.#client.asPng(picture.before, signal).catch(() => picture.before);
    this.#set(picture, 'done', 1);
    this.#events.finished(picture);
  }

  #fail(picture: Picture, error: unknown): void {
    if (picture.abort.signal.aborted) return; // cancelled: already said
    const failure = error instanceof ApiError ? error : new ApiError('other', String(error));
    if (failure.code === 'network' && ++picture.losses <= MOST_LOSSES) void this.#waitForServer(picture);
    else if (failure.code === 10004 && picture.jobId !== null) this.#startAgain(picture);
    else if (failure.code === 90002) {
      this.#paused = true;
      this.#set(picture, 'waiting', 0);
      this.#events.keyRefused();
    } else if ((failure.code === 29904 || failure.code === 90024) && failure.retryAfter !== undefined) {
      this.#set(picture, 'waiting', 0);
      this.#later(failure.retryAfter * 1000);
    } else {
      picture.error = failure;
      this.#set(picture, 'failed', 0);
    }
  }

  // The job is no longer known (the data folder is another one): once more from the start.
  #startAgain(picture: Picture): void {
    Object.assign(picture, { jobId: null, attempt: newAttempt() });
    this.#set(picture, 'waiting', 0);
  }

  // A busy server said when to come back: nothing new until then.
  #later(ms: number): void {
    this.#paused = true;
    setTimeout(() => this.resume(), ms);
  }

  async #waitForServer(picture: Picture): Promise<void> {
    this.#set(picture, 'waiting', 0);
    if (this.#offline) return;
    this.#offline = true;
    this.#events.offline(true);
    while (!(await isReachable())) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    this.#offline = false;
    this.#events.offline(false);
    this.#go();
  }

  #set(picture: Picture, status: Picture['status'], progress: number): void {
    if (picture.abort.signal.aborted) return;
    picture.status = status;
    picture.progress = progress;
    this.#events.changed(picture);
  }
}

function isReachable(): Promise<boolean> {
  return fetch('/livez', { cache: 'no-store' }).then(
    (response) => response.ok,
    () => false,
  );
}
