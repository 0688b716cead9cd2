import { openQueue } from '../../src/queue/open.ts';
import { queueContract } from '../contract/queue.ts';
import { childrenOf } from '../e2e/server-process.ts';
import { faultProxy } from '../support/fault-proxy.ts';
import { describeOnPostgres, postgresServer } from '../support/postgres-server.ts';

describeOnPostgres('queue on Postgres', () => {
  queueContract('Postgres', async () => {
    const server = await postgresServer();
    const url = await server.createDatabase();
    const way = await faultProxy(server);
    const through = new URL(url);
    through.port = String(way.port);
    return (service) => ({
      open: () => openQueue({ url: through.href, name: service, folder: '', onError: () => {} }),
      server: {
        stop: () => server.stop('SIGQUIT'),
        start: () => server.start(),
        freeze: () => signalAll(server.pid, 'SIGSTOP'),
        thaw: () => signalAll(server.pid, 'SIGCONT'),
        forget: async () => void (await server.query('truncate bullmq.job cascade', url)),
        lose: () => way.lose(),
      },
      close: async () => {
        await way.close();
        await server.close();
      },
    });
  });
});

/** Postgres answers from a process of its own for every connection; one may have ended meanwhile. */
function signalAll(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) throw new Error('the server does not run');
  process.kill(pid, signal);
  for (const child of childrenOf(pid)) {
    try {
      process.kill(child, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
