import type { FastifyInstance } from 'fastify';
import { ClientGone } from '../request-state.ts';

/** Gives each request a signal that aborts when its connection closes before the answer is out. */
export function watchClient(server: FastifyInstance): void {
  server.decorateRequest('gone', null as unknown as AbortSignal);
  server.addHook('onRequest', async (request, reply) => {
    const controller = new AbortController();
    request.gone = controller.signal;
    reply.raw.once('close', () => {
      if (!reply.raw.writableEnded) controller.abort(new ClientGone());
    });
  });
}
