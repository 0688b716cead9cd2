import { AppError } from '../errors.ts';
import { inSpan } from '../observability/tracing.ts';
import type { RestoreTask } from '../pipeline/options.ts';
import type { RestoreOutcome } from '../pipeline/report.ts';
import { admit, behind, closing, expectedWait, givenUp, isFree, type Load, tookTooLong } from './admission.ts';
import { type Child, ChildGone } from './child.ts';
import type { ChildLimits } from './child-limits.ts';
import type { Restorer, RestorerStats, RunOptions } from './contract.ts';
import { Crew } from './crew.ts';
import { CostEstimate } from './estimate.ts';
import type { PoolEvent } from './events.ts';
import { Job } from './job.ts';
import type { PipelineSettings } from './messages.ts';
import { asOrdinary, withTime } from './network-time.ts';
import { type Accepted, backlogOf, lostOnes } from './outlook.ts';
import { describe } from './picture-span.ts';
import { type Place, Places } from './places.ts';
import { entryFile } from './spawn.ts';

export interface PoolOptions extends PipelineSettings {
  /** Child processes. */
  readonly workers: number;
  /** Pictures that may wait for a child. */
  readonly queueLimit: number;
  /** A child is replaced after this many pictures. */
  readonly maxTasks: number;
  /** A child is replaced when more bytes than this are resident after a picture. */
  readonly maxMemory: number;
  /** What the kernel keeps each child within; default: nothing. */
  readonly limits?: ChildLimits;
  /** Milliseconds between two questions to an idle child; no answer by the next one: replaced. Default 5000. */
  readonly heartbeat?: number;
  /** Module the children run; default: the product's pipeline. */
  readonly entry?: string;
  /** Logs and metrics. */
  readonly onEvent?: (event: PoolEvent) => void;
}

/** A {@link Restorer} with what only its owner needs. */
export interface Pool extends Restorer {
  /**
   * Resolves when the first child is ready.
   * @throws AppError when no child can be started (a network missing, a provider unknown, …)
   */
  ready(): Promise<void>;
}

/** Starts the children at once; they load the default network before the first picture comes. */
export function createPool(options: PoolOptions): Pool {
  return new ProcessPool(options);
}

class ProcessPool implements Pool {
  readonly #options: PoolOptions;
  readonly #crew: Crew;
  readonly #estimate = new CostEstimate();
  readonly #waiting: Job[] = [];
  readonly #running = new Set<Job>();
  readonly #places = new Places();
  readonly #counts = { finished: 0, failed: 0 };
  /** Children never keep the process alive; accepted work does. */
  #keepAlive: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;
  #drained: (() => void) | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
    const { threads, provider, modelsDir, defaultModel, autoBest, faceModel, faceDetector, precision, findings } = options;
    this.#crew = new Crew({
      entry: options.entry ?? entryFile('entry'),
      settings: {
        ...{ threads, provider, modelsDir },
        ...(defaultModel === undefined ? {} : { defaultModel }),
        ...(autoBest === undefined ? {} : { autoBest }),
        ...(faceModel === undefined ? {} : { faceModel }),
        ...(faceDetector === undefined ? {} : { faceDetector }),
        ...(precision === undefined ? {} : { precision }),
        ...(findings === undefined ? {} : { findings }),
      },
      ...(options.limits ? { limits: options.limits } : {}),
      size: options.workers,
      heartbeat: options.heartbeat ?? 5000,
      onIdle: () => this.#feed(),
      onHopeless: (error) => this.#giveUp(error),
      onEvent: options.onEvent ?? (() => {}),
    });
  }

  async ready(): Promise<void> {
    const open = setInterval(() => {}, 2 ** 30);
    try {
      await this.#crew.ready;
    } finally {
      clearInterval(open);
    }
  }

  run(task: RestoreTask, options: RunOptions = {}): Promise<RestoreOutcome> {
    return inSpan('picture', {}, async (span) => {
      const job = this.#accept(task, options);
      const outcome = await job.promise;
      describe(span, job, outcome);
      return outcome;
    });
  }

  checkRoom(timeout?: number): void {
    if (this.#closing) throw closing();
    this.#giveUpLost();
    const usual = this.#estimate.of(undefined);
    admit(behind(this.#places.count, usual.mean, this.#load()), usual.most, timeout);
  }

  keepPlace(timeout?: number): Place {
    this.checkRoom(timeout);
    return this.#places.keep();
  }

  #accept(task: RestoreTask, options: RunOptions): Job {
    if (this.#closing) throw closing();
    options.signal?.throwIfAborted();
    this.#giveUpLost();
    const expected = this.#estimate.of(options.pixels);
    const load = this.#load();
    admit(load, expected.most, options.timeout);
    const job = new Job(task, options, { expected, hadToWait: !isFree(load) }, (ok) => this.#settled(job, ok));
    job.watch({ timeIsUp: () => this.#timeIsUp(job), aborted: (reason) => this.#stop(job, reason) });
    this.#waiting.push(job);
    this.#keepAlive ??= setInterval(() => {}, 2 ** 30);
    this.#feed();
    return job;
  }

  stats(): RestorerStats {
    const load = this.#load();
    return {
      children: this.#crew.alive,
      running: this.#running.size,
      waiting: this.#waiting.length,
      ...this.#counts,
      restarts: this.#crew.restarts,
      expectedWait: expectedWait(load),
    };
  }

  close(grace = 10_000): Promise<void> {
    this.#closing ??= this.#close(grace);
    return this.#closing;
  }

  async #close(grace: number): Promise<void> {
    if (this.#jobs() > 0 && grace > 0) {
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([
        new Promise<void>((resolve) => {
          this.#drained = resolve;
        }),
        new Promise<void>((resolve) => {
          timer = setTimeout(resolve, grace);
        }),
      ]);
      clearTimeout(timer);
    }
    for (const job of [...this.#waiting, ...this.#running]) job.reject(closing());
    await this.#crew.close();
  }

  /** Gives waiting pictures to idle children, in order of arrival; those that come too late are refused instead. */
  #feed(): void {
    this.#giveUpLost();
    while (this.#waiting.length > 0) {
      const child = this.#crew.idle();
      if (!child) return;
      const job = this.#waiting.shift();
      if (job) void this.#work(job, child);
    }
  }

  async #work(job: Job, child: Child): Promise<void> {
    job.begin(child);
    this.#running.add(job);
    let failure: unknown;
    try {
      const outcome = await child.run(withTime(job, this.#estimate), (value) => job.progress(value));
      this.#estimate.learn(asOrdinary((performance.now() - job.started) / 1000, outcome), job.options.pixels);
      job.resolve(outcome);
    } catch (error) {
      failure = error;
      const died = error instanceof ChildGone;
      job.reject(died ? new AppError('PROCESS_ERROR', 'The restoration of this picture failed.', { cause: error }) : error);
    }
    this.#report(job, child, failure);
    this.#crew.recycle(child, this.#options.maxTasks, this.#options.maxMemory);
    this.#feed();
  }

  /** As soon as it is seen, so that their clients can go elsewhere and those behind them gain. */
  #giveUpLost(): void {
    for (const job of lostOnes(this.#accepted(), performance.now())) job.reject(givenUp(expectedWait(this.#load())));
  }

  /** What has not begun was kept waiting for too long; what has, took too long. */
  #timeIsUp(job: Job): void {
    if (job.child) this.#stop(job, tookTooLong(job.options.timeout ?? 0));
    else job.reject(givenUp(expectedWait(this.#load())));
  }

  /** Deadline or abort: the caller is answered at once, the child that computes for nobody is killed. */
  #stop(job: Job, reason: unknown): void {
    if (job.settled) return;
    if (job.child) {
      // What was killed took at least this long: the estimate must not stay at its optimistic value.
      const elapsed = (performance.now() - job.started) / 1000;
      if (elapsed > job.expected.mean) this.#estimate.learn(elapsed, job.options.pixels);
      this.#crew.kill(job.child);
    }
    job.reject(reason);
  }

  #settled(job: Job, ok: boolean): void {
    this.#counts[ok ? 'finished' : 'failed'] += 1;
    this.#running.delete(job);
    const place = this.#waiting.indexOf(job);
    if (place >= 0) this.#waiting.splice(place, 1);
    if (this.#jobs() > 0) return;
    clearInterval(this.#keepAlive);
    this.#keepAlive = undefined;
    this.#drained?.();
  }

  /** No child can be started: waiting for one would only use up everybody's time. */
  #giveUp(error: AppError): void {
    for (const job of [...this.#waiting]) job.reject(error);
  }

  #jobs(): number {
    return this.#waiting.length + this.#running.size;
  }

  #accepted(): Accepted {
    return { children: this.#options.workers, running: this.#running, waiting: this.#waiting };
  }

  #load(): Load {
    const { workers, queueLimit } = this.#options;
    const backlog = backlogOf(this.#accepted(), performance.now());
    // Children that still start count as free: they will be within a second.
    return { children: workers, open: this.#jobs(), queueLimit, backlog };
  }

  #report(job: Job, child: Child, failure: unknown): void {
    const cause = failure instanceof AppError ? failure.cause : failure instanceof Error ? failure.message : undefined;
    this.#options.onEvent?.({
      type: 'task',
      pid: child.pid,
      ok: failure === undefined,
      waited: (job.started - job.submitted) / 1000,
      seconds: (performance.now() - job.started) / 1000,
      resident: child.memory.resident,
      peak: child.memory.peak,
      ...(cause === undefined ? {} : { detail: String(cause) }),
    });
  }
}
