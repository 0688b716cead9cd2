import type { FastifyInstance } from 'fastify';

/**
 * Hands the body on as raw bytes whatever the Content-Type says, even when it says nothing or
 * nonsense: bodies of the documented interface are JSON all the same, and signatures are taken
 * over the exact bytes. What the client really sent stays readable in `request.raw.rawHeaders`.
 */
export function acceptAnyBody(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  server.addHook('onRequest', async (request) => {
    if (request.headers['content-type'] !== undefined) request.raw.headers['content-type'] = 'application/octet-stream';
  });
}
