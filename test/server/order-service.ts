import type { VariableName } from '../../src/config.ts';
import { obedientPool } from '../jobs/bench.ts';
import { type TestApp, testApp } from '../support/app.ts';
import { httpServer } from '../support/http-server.ts';

/**
 * The whole service over a real pool whose children obey: a source link on `orders` serves the order
 * in its path behind a picture's header, so that a test decides how long a picture takes and how it ends.
 */
export async function orderService(data: string, overrides: Partial<Record<VariableName, unknown>> = {}) {
  const orders = await httpServer((request, response) => response.end(orderPicture(decodeURIComponent(request.url?.slice(1) ?? ''))));
  const workers = Number(overrides.workers ?? 1);
  const api: TestApp = await testApp(data, { fetchAllow: '127.0.0.1', drainTimeout: 0, ...overrides }, { restorer: obedientPool(workers) });
  await api.listen();
  return {
    api,
    orders,
    /** A source link that makes the child do this. */
    order: (text: string) => `${orders.base}/${encodeURIComponent(text)}`,
    close: async () => {
      await api.app.close();
      await orders.close();
    },
  };
}

export type OrderService = Awaited<ReturnType<typeof orderService>>;

/** What looks like a PNG of 64×64 to everyone who only reads headers, and is an order to the child. */
export function orderPicture(order: string): Buffer {
  const header = Buffer.from('89504e470d0a1a0a0000000d4948445200000040000000400802000000', 'hex');
  return Buffer.concat([header, Buffer.alloc(8), Buffer.from(`ORDER:${order}`)]);
}
