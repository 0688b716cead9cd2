import type { FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';

/** RFC 3986 host with optional port: names, IPv4, bracketed IPv6. Nothing else may get into a link. */
const HOST = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$/;

/**
 * Base of links to results, without a slash at its end: the configured public address, else what
 * the client itself called us by (X-Forwarded-* only behind a trusted proxy), else the listening address.
 */
export function linkBase(request: FastifyRequest, config: Pick<Config, 'publicUrl' | 'host' | 'port'>): string {
  if (config.publicUrl !== '') return config.publicUrl.replace(/\/+$/, '');
  const protocol = request.protocol === 'https' ? 'https' : 'http';
  const host = request.host ?? '';
  return `${protocol}://${HOST.test(host) ? host : listeningAddress(request, config)}`;
}

function listeningAddress(request: FastifyRequest, config: Pick<Config, 'host' | 'port'>): string {
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  return `${host}:${request.raw.socket.localPort ?? config.port}`;
}
