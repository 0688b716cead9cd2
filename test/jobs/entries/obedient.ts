/**
 * A child for the tests of jobs: the real child loop around a pipeline that does what the source
 * file says: `VERB ARGUMENT [LOGFILE]`. Each start of a task is noted in the log file, one line a start.
 * Before the order there may be a picture's header, up to `ORDER:`.
 */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../../../src/errors.ts';
import type { RestoreTask } from '../../../src/pipeline/options.ts';
import type { RestoreOutcome } from '../../../src/pipeline/report.ts';
import { serveTasks } from '../../../src/workers/child-loop.ts';

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

function outcome(task: RestoreTask): RestoreOutcome {
  return {
    width: 1000,
    height: 500,
    format: task.options.format === 'png' ? 'png' : 'jpg',
    bytes: 1,
    report: {
      source: { width: 1000, height: 500, format: 'jpg', bytes: 1, orientation: 1, alpha: false, grey: false, bits: 8, icc: false },
      analysis: { jpegQuality: null, noiseSigma: 0, blur: 0, clean: true },
      model: null,
      gate: { action: 'copy', reason: 'test' },
      strength: 1,
      faces: [],
      timings: {},
      warnings: [],
    },
  };
}

await serveTasks(() => ({
  restore: async (task, onProgress = () => {}) => {
    await obey(task, onProgress);
    return outcome(task);
  },
}));
