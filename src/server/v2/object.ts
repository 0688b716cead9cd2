import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../errors.ts';
import type { ServerDeps } from '../deps.ts';

const EXTENSIONS: Readonly<Record<string, string>> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/webp': 'webp',
  'image/tiff': 'tif',
  'image/avif': 'avif',
};

/** Answers a stored picture of the caller's own job. @throws AppError TASK_NOEXIST when its time is over */
export async function sendObject(id: string, request: FastifyRequest, reply: FastifyReply, deps: Pick<ServerDeps, 'storage'>) {
  const opened = await deps.storage.open(id);
  if (!opened) throw new AppError('TASK_NOEXIST', 'The picture is no longer kept.');
  const { object, stream } = opened;
  const etag = `"${object.sha256}"`;
  reply.headers({
    ETag: etag,
    'Cache-Control': 'private, no-cache',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "default-src 'none'; sandbox",
    'Content-Disposition': `inline; filename="mingxi.${EXTENSIONS[object.type] ?? 'bin'}"`,
  });
  if (request.method === 'GET' && request.headers['if-none-match'] === etag) {
    stream.destroy();
    return reply.code(304).send();
  }
  return reply.type(object.type).header('Content-Length', object.bytes).send(stream);
}
