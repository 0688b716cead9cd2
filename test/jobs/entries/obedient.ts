/**
 * A child for the tests of jobs: the real child loop around a pipeline that does what the source
 * file says: `VERB ARGUMENT [LOGFILE]`. Each start of a task is noted in the log file, one line a start.
 * Before the order there may be a picture's header, up to `ORDER:`.
 */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../../../src/errors.ts';
import type { RestoreTask } from '../../../src/pipeline/options.ts';
import { serveTasks } from '../../../src/workers/child-loop.ts';
import { outcomeOf } from '../../support/outcome.ts';

async function obey(task: RestoreTask, onProgress: (value: number) => void): Promise<void> {
  const order = readFileSync(task.source, 'utf8').replace(/^.*ORDER:/s, '');
  const [verb = '', argument = '', log] = order.split(' ');
  if (log) appendFileSync(log, `${verb} ${process.pid}\n`);
  switch (verb) {
    case 'restore':
      await sleep(Number(argument));
      writeFileSync(task.result, `restored: ${order}`);
      return;
    case 'progress':
      for (let i = 1; i < 10; i++) {
        onProgress(i / 10);
        await sleep(Number(argument) / 10);
      }
      writeFileSync(task.result, 'restored');
      return;
    case 'hang':
      for (;;);
    case 'die':
      process.kill(process.pid, 'SIGKILL');
      return sleep(10_000);
    case 'die-once':
      // Dead on the first start, well on the second.
      if (readFileSync(log ?? '', 'utf8').split('\n').length <= 2) process.kill(process.pid, 'SIGKILL');
      writeFileSync(task.result, 'restored at last');
      return;
    case 'refuse':
      throw new AppError('IMAGE_DECODE_ERROR', 'The picture is damaged.');
    default:
      throw new AppError('IMAGE_DECODE_FORMAT_ERROR', `No such order: ${order.slice(0, 40)}`);
  }
}

await serveTasks(() => ({
  restore: async (task, onProgress = () => {}) => {
    await obey(task, onProgress);
    return outcomeOf(1000, 500, task.options.format === 'png' ? 'png' : 'jpg');
  },
}));
