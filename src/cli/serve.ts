import type { Command } from 'commander';
import { type Config, loadConfig } from '../config.ts';
import { EXIT, Failure } from './exit.ts';

interface Flags {
  readonly host?: string;
  readonly port?: string;
  readonly data?: string;
  readonly role?: string;
  readonly workers?: string;
  /** `--no-dev-key` sets it to false. */
  readonly devKey: boolean;
}

/** Time for last words after the end, ms. */
const LINGER = 2_000;

/** `mingxi serve`: the HTTP service, until SIGTERM or SIGINT. */
export function serveCommand(program: Command): void {
  program
    .command('serve')
    .description('Serve the HTTP interface until SIGTERM or Ctrl-C.')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--port <number>', 'port; 0 picks a free one (default: 8080)')
    .option('--data <dir>', 'folder of the database, stored pictures and the server key (default: ./data)')
    .option('--role <role>', 'all, api or worker (default: all)')
    .option('--workers <number>', 'child processes that restore pictures')
    .option('--no-dev-key', 'do not make a development key when there are no keys yet')
    .addHelpText('after', '\nEverything else is set by MINGXI_ variables: see mingxi config.')
    .action(serve);
}

async function serve({ devKey, ...overrides }: Flags): Promise<void> {
  const config = loadConfig(process.env, overrides);
  const { createApp } = await import('../app.ts');
  const { announce, developmentKey } = await import('./development-key.ts');
  const app = await createApp(config);
  const stop = onStop(() => app.close());
  try {
    const issued = devKey && config.role !== 'worker' ? await developmentKey(app.keys) : undefined;
    const { url } = await app.start();
    console.log(config.role === 'worker' ? `working; health and metrics on ${url}` : `listening on ${url}`);
    if (issued) announce(url, config.data, issued);
  } catch (error) {
    // A signal during the start makes it fail; that is no failure.
    if (!stop.requested()) {
      await app.close();
      throw inWords(error, config);
    }
  }
  await stop.done;
  // All of ours is closed; a library's connection whose other side is silent would keep the process alive.
  setTimeout(() => process.exit(), LINGER).unref();
}

/** Drains at the first signal; a second one does not wait any longer. `done`: everything is closed. */
function onStop(close: () => Promise<void>): { requested(): boolean; readonly done: Promise<void> } {
  let stopping = false;
  const done = new Promise<void>((resolve, reject) => {
    const stop = (status: number) => {
      if (stopping) process.exit(status);
      stopping = true;
      close().then(resolve, reject);
    };
    process.on('SIGTERM', () => stop(EXIT.terminated));
    process.on('SIGINT', () => stop(EXIT.interrupted));
  });
  return { requested: () => stopping, done };
}

/** The usual reasons why a port cannot be had, without a stack. */
function inWords(error: unknown, { host, port }: Config): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'EADDRINUSE') return new Failure(`${host}:${port} is in use by another process; --port 0 picks a free one`);
  if (code === 'EACCES') return new Failure(`${host}:${port} needs more rights than this user has`);
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return new Failure(`${host} is no address of this machine`);
  return error;
}
