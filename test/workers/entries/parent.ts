/** A process of its own that owns a pool, so that a test can end it in every way. Prints the pids of its children. */
import { createPool } from '../../../src/workers/pool.ts';
import { task } from '../task.ts';

const how = process.argv[2] ?? '';
const pool = createPool({
  workers: 2,
  threads: 1,
  provider: 'cpu',
  modelsDir: '',
  queueLimit: 10,
  maxTasks: 100,
  maxMemory: 2 ** 40,
  entry: new URL('./obedient.ts', import.meta.url).pathname,
  onEvent: (event) => {
    if (event.type === 'child-ready') console.log(`child ${event.pid}`);
  },
});
await pool.ready();
if (how === 'busy') {
  void pool.run(task('hang')).catch(() => {});
  console.log('busy');
} else {
  await pool.run(task('sleep:1'));
  console.log('idle');
}
// No close(): the process must be able to end with idle children, and cannot take them with it by itself.
