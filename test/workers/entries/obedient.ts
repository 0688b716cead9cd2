/**
 * A child for the pool's tests: the real child loop around a pipeline that does what the task's
 * source path says, e.g. `hang`, `sleep:200`, `allocate:300`. The parent never knows the difference.
 */
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../../../src/errors.ts';
import type { RestoreTask } from '../../../src/pipeline/options.ts';
import { serveTasks } from '../../../src/workers/child-loop.ts';
import type { PipelineSettings } from '../../../src/workers/messages.ts';
import { outcomeOf } from '../../support/outcome.ts';

const hoard: Buffer[] = [];

async function obey(task: RestoreTask, settings: PipelineSettings, onProgress: (value: number) => void): Promise<void> {
  const [verb, argument] = task.source.split(':');
  const amount = Number(argument);
  switch (verb) {
    case 'sleep':
      return sleep(amount);
    case 'hang':
      // Like inference: the event loop gets no turn any more.
      for (;;);
    case 'segfault':
      process.kill(process.pid, 'SIGSEGV');
      return sleep(10_000);
    case 'exit':
      writeSync(2, 'last words before the exit\n');
      return process.exit(amount);
    case 'throw':
      throw new Error('secret path /home/somebody/picture.png');
    case 'refuse':
      throw new AppError('IMAGE_DECODE_SIZE_ERROR', 'The picture is 10×10 pixels, at least 48 are needed.');
    case 'uncaught':
      setTimeout(() => {
        throw new Error('thrown outside of every promise');
      }, 1);
      return sleep(10_000);
    case 'allocate':
      hoard.push(Buffer.alloc(amount * 1024 * 1024, 1));
      return;
    case 'progress':
      for (let i = 1; i <= amount; i++) {
        onProgress(i / amount);
        await sleep(60);
      }
      return;
    case 'deaf':
      // Answers this task, then never again: only the heartbeat can find out.
      setTimeout(() => {
        for (;;);
      }, 20);
      return;
    case 'look':
      writeFileSync(
        task.result,
        JSON.stringify({ pid: process.pid, environment: process.env, settings, execArgv: process.execArgv, time: task.time }),
      );
      return;
    case 'write':
      writeFileSync(task.result, Buffer.alloc(amount * 1024 * 1024));
      return;
    case 'limits':
      writeFileSync(task.result, readFileSync('/proc/self/limits'));
      return;
    case 'log': {
      const file = openSync(task.result, 'a');
      writeSync(file, `${argument}\n`);
      closeSync(file);
      return;
    }
    default:
      throw new AppError('IMAGE_DECODE_ERROR', `No such order: ${task.source}`);
  }
}

await serveTasks((settings) => ({
  restore: async (task, onProgress = () => {}) => {
    await obey(task, settings, onProgress);
    // The width tells the test which process did it.
    return outcomeOf(process.pid, 1, 'png');
  },
}));
