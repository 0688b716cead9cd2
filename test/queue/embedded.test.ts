import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEmbeddedQueue } from '../../src/queue/embedded.ts';
import { queueContract } from '../contract/queue.ts';

queueContract('embedded', async () => {
  const root = mkdtempSync(join(tmpdir(), 'mingxi-queue-'));
  return (service) => ({
    open: () =>
      createEmbeddedQueue({
        folder: join(root, service),
        pollMs: 200,
        onError: (error) => {
          throw error;
        },
      }),
    close: async () => rmSync(root, { recursive: true, force: true }),
  });
});
