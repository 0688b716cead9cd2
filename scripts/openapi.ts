import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { createApp } from '../src/app.ts';
import { loadConfig } from '../src/config.ts';
import type { Restorer } from '../src/workers/contract.ts';

/** No picture is restored for a description. */
export const IDLE: Restorer = {
  run: () => Promise.reject(new Error('not expected')),
  checkRoom: () => {},
  keepPlace: () => ({ isKept: true, giveUp: () => {} }),
  stats: () => ({ children: 0, running: 0, waiting: 0, finished: 0, failed: 0, restarts: 0, expectedWait: 0 }),
  close: async () => {},
};

/** The OpenAPI document of the default configuration, as text; what `/openapi.json` answers. */
export async function openApiDocument(): Promise<string> {
  const data = mkdtempSync(join(tmpdir(), 'mingxi-openapi-'));
  try {
    const app = await createApp(loadConfig({}, { data, logLevel: 'silent' }), { restorer: IDLE, logger: pino({ level: 'silent' }) });
    const answer = await app.server.inject({ url: '/openapi.json' });
    await app.close();
    return `${JSON.stringify(answer.json(), null, 2)}\n`;
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}

// `npx tsx scripts/openapi.ts` writes openapi.json, which a test compares with the routes.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(join(import.meta.dirname, '..', 'openapi.json'), await openApiDocument());
}
