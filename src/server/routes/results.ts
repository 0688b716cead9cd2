import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ByteRange, StoredObject } from '../../storage/contract.ts';
import type { ServerDeps } from '../deps.ts';
import { NO_ROUTE } from '../dialect/failure.ts';
import { refuseOtherMethods } from '../plugins/other-methods.ts';
import type { RestoredEntry } from '../restoration/restore-entries.ts';

const TYPES = { jpg: 'image/jpeg', png: 'image/png', webp: 'image/webp' } as const;
const EXTENSIONS: Readonly<Record<string, string>> = Object.fromEntries(Object.entries(TYPES).map(([ext, type]) => [type, ext]));
const PATH = '/v1/results/:file';

/** Stores a result and answers its link, which works without a key until the result expires. */
export async function publishResult(entry: RestoredEntry, base: string, deps: Pick<ServerDeps, 'storage' | 'config'>): Promise<string> {
  const expiresAt = Date.now() + deps.config.resultHours * 3_600_000;
  const object = await deps.storage.put({ path: entry.path }, { type: TYPES[entry.outcome.format], expiresAt });
  return resultLink(object, base);
}

/** The link of a stored result: this server's own, whatever keeps the bytes, so that it works until the result expires. */
export function resultLink(object: StoredObject, base: string): string {
  return `${base}/v1/results/${object.id}.${EXTENSIONS[object.type] ?? 'bin'}`;
}

/** `GET /v1/results/ID.EXT`: immutable, so one validator (the content's hash) and a long life in private caches. */
export function resultRoutes(server: FastifyInstance, deps: ServerDeps): void {
  server.get<{ Params: { file: string } }>(
    PATH,
    { schema: { summary: 'A stored result', tags: ['v1'], params: { type: 'object', properties: { file: { type: 'string' } } } } },
    async (request, reply) => {
      const [id = '', extension = ''] = request.params.file.split('.', 2);
      const object = await deps.storage.stat(id);
      if (!object || EXTENSIONS[object.type] !== extension) return reply.code(404).send(NO_ROUTE);
      return serve(object, request, reply, deps);
    },
  );
  refuseOtherMethods(server, PATH, ['GET', 'HEAD']);
}

async function serve(object: StoredObject, request: FastifyRequest, reply: FastifyReply, deps: ServerDeps) {
  const fileName = `mingxi-${object.id.slice(-8)}.${EXTENSIONS[object.type]}`;
  const etag = `"${object.sha256}"`;
  reply.headers({
    ETag: etag,
    'Cache-Control': `private, max-age=${Math.max(0, Math.floor((object.expiresAt - Date.now()) / 1000))}, immutable`,
    'Last-Modified': new Date(object.createdAt).toUTCString(),
    'Accept-Ranges': 'bytes',
    'X-Content-Type-Options': 'nosniff',
    'Content-Disposition': `inline; filename="${fileName}"`,
    'Content-Security-Policy': "default-src 'none'; sandbox",
    'Cross-Origin-Resource-Policy': 'cross-origin',
  });
  if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send();
  if (deps.storage.link && request.method === 'GET') return redirect(await deps.storage.link(object, fileName), reply);
  const wanted = request.headers['if-range'] === undefined || request.headers['if-range'] === etag ? request.headers.range : undefined;
  const range = rangeOf(wanted, object.bytes);
  if (range === 'unsatisfiable') return reply.code(416).header('Content-Range', `bytes */${object.bytes}`).send();
  const opened = await deps.storage.open(object.id, range);
  if (!opened) return reply.code(404).send(NO_ROUTE);
  if (range) reply.code(206).header('Content-Range', `bytes ${range.first}-${range.last}/${object.bytes}`);
  const length = range ? range.last - range.first + 1 : object.bytes;
  return reply.type(object.type).header('Content-Length', length).send(opened.stream);
}

/** To the store's own link, which lives for minutes: it must not be kept, and what describes the content comes from there. */
function redirect(link: string, reply: FastifyReply) {
  for (const name of ['ETag', 'Last-Modified', 'Accept-Ranges', 'Content-Disposition']) reply.removeHeader(name);
  return reply.header('Cache-Control', 'no-store').redirect(link, 302);
}

/** RFC 9110 §13.1.2: `*`, or a list in which weak and strong tags compare alike. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((tag) => ['*', etag].includes(tag.trim().replace(/^W\//, '')));
}

/** RFC 9110 §14.2: one range is served; several, or a header that is no byte range, mean the whole. */
function rangeOf(header: string | undefined, bytes: number): ByteRange | 'unsatisfiable' | undefined {
  const parts = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!parts || (parts[1] === '' && parts[2] === '')) return undefined;
  const [first, last] = [parts[1] ?? '', parts[2] ?? ''];
  const range =
    first === ''
      ? { first: Math.max(0, bytes - Number(last)), last: bytes - 1 }
      : { first: Number(first), last: Math.min(last === '' ? bytes - 1 : Number(last), bytes - 1) };
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  return range.first >= bytes || range.first > range.last ? 'unsatisfiable' : range;
}
