import { Redis } from 'ioredis';
import { openQueue } from '../../src/queue/open.ts';
import { queueContract } from '../contract/queue.ts';
import { describeOnRedis, redisServer } from '../support/redis-server.ts';

describeOnRedis('queue on Redis', () => {
  queueContract('Redis', async () => {
    const server = await redisServer();
    return (service) => ({
      open: () => openQueue({ url: server.url, name: service, folder: '', onError: () => {} }),
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
      },
      close: () => server.close(),
    });
  });
});
