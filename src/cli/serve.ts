import type { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { EXIT } from './exit.ts';

interface Flags {
  readonly host?: string;
  readonly port?: string;
  readonly data?: string;
  readonly role?: string;
  readonly workers?: string;
  /** `--no-dev-key` sets it to false. */
  readonly devKey: boolean;
}

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
  const stopped = onStop(() => app.close());
  const issued = devKey && config.role !== 'worker' ? await developmentKey(app.keys) : undefined;
  const { url } = await app.start();
  console.log(config.role === 'worker' ? 'working' : `listening on ${url}`);
  if (issued) announce(url, config.data, issued);
  await stopped;
}

/** Drains at the first signal; a second one does not wait any longer. Resolves when everything is closed. */
function onStop(close: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    let stopping = false;
    const stop = (status: number) => {
      if (stopping) process.exit(status);
      stopping = true;
      close().then(resolve, reject);
    };
    process.on('SIGTERM', () => stop(EXIT.terminated));
    process.on('SIGINT', () => stop(EXIT.interrupted));
  });
}
