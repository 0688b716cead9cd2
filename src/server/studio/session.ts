import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Config } from '../../config.ts';
import { type ApiKey, type KeyStore, keyIsValid } from '../../db/keys.ts';

/** The header the page sends its token in. A header, not a cookie: no other site's page can make a browser add it. */
export const STUDIO_HEADER = 'x-mingxi-studio';

/** Lets the studio page work without a key where server and browser are on the same machine. */
export interface StudioSession {
  /** The page's token, when this request may have it; undefined: the page has to ask for a key. */
  open(request: FastifyRequest): Promise<string | undefined>;
  /** The key a request with the page's token acts for; null for any other request. */
  keyOf(request: FastifyRequest): Promise<ApiKey | null>;
}

type Settings = Pick<Config, 'studio' | 'host' | 'publicUrl' | 'trustProxy'>;

/**
 * A session exists while nobody but the person at this machine can be meant: the server listens on
 * loopback, is not published, and its only valid key is the development key it made itself. Each
 * request must come over loopback, name a loopback Host (DNS rebinding has the attacker's), carry no
 * sign of a proxy, and have this server's own Origin where a browser states one (other sites' pages
 * cannot even read the token: the answer to `open` is for this Origin only).
 */
export function createStudioSession(config: Settings, keys: Pick<KeyStore, 'list'>): StudioSession {
  const token = randomBytes(32).toString('base64url');
  const possible = config.studio === 'auto' && isLoopbackName(config.host) && config.publicUrl === '' && !config.trustProxy;

  const developmentKey = async (): Promise<ApiKey | null> => {
    const valid = (await keys.list()).filter((key) => keyIsValid(key));
    const [only] = valid;
    return valid.length === 1 && only?.name === 'development' ? only : null;
  };

  return {
    async open(request) {
      const isOwnPage = request.headers.origin !== undefined && isLocal(request);
      return possible && isOwnPage && (await developmentKey()) !== null ? token : undefined;
    },
    async keyOf(request) {
      const sent = request.headers[STUDIO_HEADER];
      if (!possible || typeof sent !== 'string' || !equal(sent, token) || !isLocal(request)) return null;
      return developmentKey();
    },
  };
}

const PROXY_HEADERS = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'] as const;

function isLocal(request: FastifyRequest): boolean {
  const { headers, raw } = request;
  const host = headers.host ?? '';
  if (PROXY_HEADERS.some((name) => headers[name] !== undefined)) return false;
  if (!isLoopbackAddress(raw.socket.remoteAddress ?? '')) return false;
  if (!isLoopbackName(host.replace(/:\d+$/, ''))) return false;
  return headers.origin === undefined || headers.origin.toLowerCase() === `http://${host.toLowerCase()}`;
}

/** RFC 5735 §3 and RFC 4291 §2.5.3, the mapped form included. */
function isLoopbackAddress(address: string): boolean {
  return /^(::ffff:)?127\./.test(address) || address === '::1';
}

function isLoopbackName(name: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(name);
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
