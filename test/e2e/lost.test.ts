import { onTestFinished, test } from 'vitest';
import { faultProxy } from '../support/fault-proxy.ts';
import { describeOnPostgres, postgresServer } from '../support/postgres-server.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { until } from '../support/until.ts';
import { serve } from './server-process.ts';

describeOnPostgres('a worker with its queue on PostgreSQL', () => {
  test('ends in good order although its connections were lost without a word', async () => {
    const postgres = await postgresServer();
    onTestFinished(() => postgres.close());
    const way = await faultProxy(postgres);
    onTestFinished(() => way.close());
    const url = new URL(await postgres.createDatabase());
    url.port = String(way.port);
    const worker = await serve(temporaryFolder(), { MINGXI_ROLE: 'worker', MINGXI_WORKERS: '1', MINGXI_QUEUE_URL: url.href });
    // One for announcing, one for news, and two that wait for work.
    await until(() => way.connections >= 4);
    way.lose();
    await worker.kill('SIGTERM');
  });
});
