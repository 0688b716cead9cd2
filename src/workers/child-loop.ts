import { readFileSync, writeFileSync } from 'node:fs';
import type { RestoreTask } from '../pipeline/options.ts';
import type { RestoreOutcome } from '../pipeline/report.ts';
import { toPlainError } from '../plain-error.ts';
import type { ChildMemory, FromChild, PipelineSettings, ToChild } from './messages.ts';
import { dieWithParent } from './watchdog.ts';

/** The part of the pipeline a child uses. */
export interface TaskPipeline {
  restore(task: RestoreTask, onProgress?: (progress: number) => void): Promise<RestoreOutcome>;
}

/** Progress goes out at most this often (ms): a small tile takes less than a message is worth. */
const PROGRESS_INTERVAL = 50;

/**
 * A child's whole life: build the pipeline, say `ready`, then one task after the other until the
 * parent kills it or goes away.
 */
export async function serveTasks(create: (settings: PipelineSettings) => TaskPipeline | Promise<TaskPipeline>): Promise<void> {
  leaveSignalsToParent();
  const watched = dieWithParent();
  offerAsOomVictim();
  let pipeline: TaskPipeline;
  try {
    pipeline = await create(JSON.parse(process.argv[2] ?? '{}') as PipelineSettings);
  } catch (error) {
    process.send?.({ type: 'refused', error: toPlainError(error) } satisfies FromChild, () => process.exit(1));
    return;
  }
  process.on('message', (message: ToChild) => {
    if (message.type === 'ping') send({ type: 'pong' });
    else void work(pipeline, message.id, message.task);
  });
  await watched;
  send({ type: 'ready' });
}

async function work(pipeline: TaskPipeline, id: number, task: RestoreTask): Promise<void> {
  let last = 0;
  const onProgress = (value: number) => {
    const now = performance.now();
    if (now - last < PROGRESS_INTERVAL && value < 1) return;
    last = now;
    send({ type: 'progress', id, value });
  };
  try {
    const outcome = await pipeline.restore(task, onProgress);
    send({ type: 'done', id, outcome, memory: memory() });
  } catch (error) {
    send({ type: 'failed', id, error: toPlainError(error), memory: memory() });
  }
}

function send(message: FromChild): void {
  // The callback takes the error of a channel that closed meanwhile: the parent is gone, and so are we soon.
  process.send?.(message, undefined, undefined, () => {});
}

/** Ctrl-C, `kill` and a closed terminal reach the whole process group; whether to drain or to stop is the parent's decision. */
function leaveSignalsToParent(): void {
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {});
  process.on('SIGHUP', () => {});
}

/** When memory runs out the kernel should take the child with the huge picture, not the server. Linux only. */
function offerAsOomVictim(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '500');
  } catch {
    // Another system, or /proc read-only: only the preference is lost.
  }
}

function memory(): ChildMemory {
  const resident = process.memoryUsage.rss();
  return { resident, peak: Math.max(resident, highWater()) };
}

/** VmHWM; `ru_maxrss` would do elsewhere, but on Linux it starts at the parent's size across fork and exec. */
function highWater(): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return process.resourceUsage().maxRSS * 1024;
  }
}
