import type { FastifyInstance } from 'fastify';

/**
 * A client that sends `Expect: 100-continue` (curl does above a megabyte) is told to go on when everything
 * that can be refused without the body has been checked; Node would tell it at once. Whoever is refused
 * has sent nothing, and the connection ends, because it is left open whether the body follows (RFC 9110, section 10.1.1).
 */
export function continueWhenChecked(server: FastifyInstance): void {
  server.server.on('checkContinue', (request, response) => server.server.emit('request', request, response));
  server.addHook('preParsing', async (request, reply) => {
    if (/^100-continue$/i.test(request.headers.expect ?? '')) reply.raw.writeContinue();
  });
}
