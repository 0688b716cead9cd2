import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { Type } from '../../schema.ts';
import type { ServerDeps } from '../deps.ts';
import type { StudioSession } from './session.ts';

/** Built by `npm run build`; the same place seen from `src/` and from `dist/`. */
const PAGE = join(import.meta.dirname, '..', '..', '..', 'dist', 'web');

const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob:",
    "connect-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
};

/** The studio page at `/` and its session. Without a built page (a checkout before the build) only the session. */
export async function studioPage(server: FastifyInstance, deps: ServerDeps, session: StudioSession): Promise<void> {
  const { config } = deps;
  if (config.studio === 'off') return;
  server.post('/studio/session', { schema: { hide: true, response: { 200: SessionAnswer } } }, async (request, reply) => {
    // Readable by this origin alone, whatever CORS allows the API.
    reply.removeHeader('Access-Control-Allow-Origin');
    reply.header('Cache-Control', 'no-store').header('Cross-Origin-Resource-Policy', 'same-origin');
    const token = await session.open(request);
    const limits = { maxFileBytes: config.v2MaxFileBytes, maxPixels: config.v2MaxPixels };
    return token === undefined ? { mode: 'keys', limits } : { mode: 'local', token, limits };
  });
  if (!existsSync(join(PAGE, 'index.html'))) {
    deps.logger.warn('the studio page is not built (npm run build); / answers 404');
    return;
  }
  await server.register(fastifyStatic, { root: PAGE, wildcard: false, preCompressed: true, cacheControl: false, setHeaders });
}

const SessionAnswer = Type.Object({
  mode: Type.String(),
  token: Type.Optional(Type.String()),
  limits: Type.Object({ maxFileBytes: Type.Integer(), maxPixels: Type.Integer() }),
});

function setHeaders(reply: FastifyReply, path: string): void {
  reply.headers(HEADERS);
  // Names under assets/ carry a hash of their content.
  reply.header('Cache-Control', path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache');
}
