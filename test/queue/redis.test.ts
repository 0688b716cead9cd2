import { Redis } from 'ioredis';
import { openQueue } from '../../src/queue/open.ts';
import { queueContract } from '../contract/queue.ts';
import { faultProxy } from '../support/fault-proxy.ts';
import { describeOnRedis, redisServer } from '../support/redis-server.ts';

describeOnRedis('queue on Redis', () => {
  queueContract('Redis', async () => {
    const server = await redisServer();
    const way = await faultProxy(server);
    const through = new URL(server.url);
    through.port = String(way.port);
    return (service) => ({
      open: () => openQueue({ url: through.href, name: service, folder: '', onError: () => {} }),
      server: {
        stop: () => server.stop('SIGKILL'),
        start: () => server.start(),
        freeze: () => server.signal('SIGSTOP'),
        thaw: () => server.signal('SIGCONT'),
        async forget() {
          const client = new Redis(server.url);
          await client.flushall();
          await client.quit();
        },
        lose: () => way.lose(),
      },
      close: async () => {
        await way.close();
        await server.close();
      },
    });
  });
});
