import { randomBytes } from 'node:crypto';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { gzipSync } from 'node:zlib';

/** The one address that the service under attack may reach: a stranger's web server stands there. */
export const SOURCE_ADDRESS = '127.0.0.77';

/** Listeners on private addresses; a link that gets one of them to be called has passed the guard. */
export interface Canaries {
  readonly port: number;
  readonly addresses: readonly string[];
  /** Connections so far, by address. */
  readonly contacts: readonly string[];
  close(): Promise<void>;
}

/** Listens on loopback in several spellings and on every address this machine has, on one port. */
export async function startCanaries(): Promise<Canaries> {
  const contacts: string[] = [];
  const servers: Server[] = [];
  const listen = (address: string, port: number) =>
    new Promise<number | undefined>((resolve) => {
      const server = createServer((socket) => {
        contacts.push(address);
        socket.destroy();
      });
      server.once('error', () => resolve(undefined));
      server.listen(port, address, () => {
        servers.push(server);
        resolve((server.address() as AddressInfo).port);
      });
    });
  const port = (await listen('127.0.0.1', 0)) ?? 0;
  const own = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .map(({ address }) => address);
  const addresses = ['127.0.0.1'];
  for (const address of new Set(['127.0.0.2', '127.1.2.3', '127.255.255.254', '::1', ...own])) {
    if (address !== '127.0.0.1' && (await listen(address, port)) !== undefined) addresses.push(address);
  }
  return {
    ...{ port, addresses, contacts },
    close: async () => void (await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))),
  };
}

export interface HostileSource {
  readonly base: string;
  /** A link to these bytes, good once. */
  serve(bytes: Buffer): string;
  close(): Promise<void>;
}

/** What a chain of redirects has made of a target may be no encoding any more. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Behaviours of the stranger's server, by first part of the path. */
const MANNERS: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse, rest: string) => void>> = {
  redirect: (_request, response, rest) => {
    const location = decoded(rest);
    response.writeHead(302, { location: /^[\x20-\x7e]*$/.test(location) ? location : encodeURI(location) }).end();
  },
  'redirect-raw': (_request, response, rest) => void response.socket?.end(`HTTP/1.1 301 X\r\nLocation: ${decoded(rest)}\r\n\r\n`),
  circle: (request, response) => void response.writeHead(307, { location: request.url ?? '/' }).end(),
  silent: () => undefined,
  'headers-only': (_request, response) => void response.writeHead(200, { 'content-length': '5000' }).flushHeaders(),
  drip: (_request, response) => {
    const timer = setInterval(() => response.write('x'), 100);
    response.once('close', () => clearInterval(timer));
  },
  endless: (_request, response) => {
    const block = Buffer.alloc(65_536, 0x41);
    const pour = () => {
      while (!response.destroyed && response.write(block));
    };
    response.on('drain', pour);
    pour();
  },
  announced: (_request, response) => void response.writeHead(200, { 'content-length': '99999999999' }).flushHeaders(),
  short: (_request, response) => {
    response.writeHead(200, { 'content-length': '5000' }).write('x');
    setImmediate(() => response.destroy());
  },
  gzip: (_request, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(5_000_000))),
  'many-headers': (_request, response) => void response.socket?.end(`HTTP/1.1 200 OK\r\n${'x-a: b\r\n'.repeat(20_000)}\r\n`),
  'no-http': (_request, response) => void response.socket?.end('220 smtp.example ESMTP\r\n'),
  hangup: (_request, response) => void response.socket?.destroy(),
  status: (_request, response, rest) => void response.writeHead(Number(rest) || 500).end('x'),
  empty: (_request, response) => void response.end(),
  html: (_request, response) => void response.writeHead(200, { 'content-type': 'image/png' }).end('<html>'),
  continue: (_request, response) => void response.socket?.end(`${'HTTP/1.1 100 Continue\r\n\r\n'.repeat(2000)}HTTP/1.1 200 OK\r\n\r\n`),
};

/** Paths that misbehave by themselves; redirects need a target behind them. */
export const BAD_MANNERS = Object.keys(MANNERS).filter((name) => !name.startsWith('redirect') && name !== 'status');

/** A stranger's web server that serves what it is told to, or behaves badly. */
export async function startSource(): Promise<HostileSource> {
  const files = new Map<string, Buffer>();
  const server = createHttp((request, response) => {
    response.on('error', () => undefined);
    const [, first = '', rest = ''] = /^\/([^/]*)\/?(.*)$/s.exec(request.url ?? '') ?? [];
    const file = files.get(first);
    if (file) {
      files.delete(first);
      response.end(file);
    } else (MANNERS[first] ?? ((_request, answer) => answer.writeHead(404).end()))(request, response, rest);
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, SOURCE_ADDRESS, resolve));
  const base = `http://${SOURCE_ADDRESS}:${(server.address() as AddressInfo).port}`;
  return {
    base,
    serve(bytes) {
      const name = randomBytes(8).toString('hex');
      files.set(name, bytes);
      return `${base}/${name}`;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
