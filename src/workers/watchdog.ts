import { Worker } from 'node:worker_threads';

/**
 * Runs beside the pipeline in a thread of its own, because inference is synchronous and the main
 * thread may never come back to notice that the channel to the parent closed (parent killed with
 * SIGKILL while a tile computes, or a decoder that loops). A new parent id means the old one is gone.
 */
const SOURCE = `
const parent = process.ppid;
setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL'); }, 500);
`;

/**
 * Ends this process within about half a second of its parent's end, whatever the main thread does.
 * Resolves when the watch is kept: a thread cannot come up while the main thread already computes.
 */
export function dieWithParent(): Promise<void> {
  // Not exit(): it would terminate the lanes, and ONNX Runtime aborts when a thread ends in the middle of a run.
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  // execArgv []: the thread is plain JavaScript and needs no loader of the main thread.
  const watch = new Worker(SOURCE, { eval: true, execArgv: [], env: {}, stdout: true, stderr: true });
  watch.unref();
  return new Promise((resolve) => {
    watch.once('online', resolve);
    // Without a thread (a very tight process limit) `disconnect` alone has to do.
    watch.once('error', () => resolve());
  });
}
