import { lookup as systemLookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { buildConnector } from 'undici';
import { AppError } from '../errors.ts';
import { isPublicAddress } from './address.ts';
import type { AllowList } from './allow-list.ts';
import { invalid } from './link.ts';

/** Every address of a host name; replaceable so that tests can play a hostile name server. */
export type Lookup = (host: string) => Promise<readonly string[]>;

export interface GuardOptions {
  readonly allow: AllowList;
  /** Ports any host may be reached on; allow-listed ones are not bound by them. */
  readonly ports: readonly string[];
  readonly lookup?: Lookup;
}

/**
 * Decides at the moment of connecting which address a connection may go to. Checked here and not
 * before the request: a name may resolve differently a second later (DNS rebinding), and a redirect
 * is a new connection. The connection then goes to the very address that was checked.
 * @throws AppError INVALID_URL_ERROR when no address is allowed, IMAGE_DOWNLOAD_FAILED for an unknown host
 */
export async function chooseAddress(host: string, port: string, options: GuardOptions): Promise<string> {
  const name = bare(host);
  const addresses = isIP(name) ? [name] : await resolve(name, options.lookup ?? resolveBySystem);
  const byName = options.allow.host(name);
  const allowed = addresses.find((address) => byName || options.allow.address(address) || isPublicAddress(address));
  if (allowed === undefined) throw invalid('The link leads to an address that is not allowed.');
  const anyPort = byName || options.allow.address(allowed);
  if (!anyPort && !options.ports.includes(port)) {
    throw invalid(`The link uses port ${port}; allowed are ${options.ports.join(', ')}.`);
  }
  return allowed;
}

/** undici's connector with the guard inside; TLS still checks the certificate against the host's name. */
export function guardedConnector(options: GuardOptions, timeout: number): buildConnector.connector {
  const connect = buildConnector({ timeout, autoSelectFamily: false });
  return (target, callback) => {
    const port = target.port || (target.protocol === 'https:' ? '443' : '80');
    within(timeout, chooseAddress(target.hostname, port, options)).then(
      (address) => connect({ ...target, hostname: address, ...serverName(target.hostname) }, callback),
      (error: Error) => callback(error, null),
    );
  };
}

/** A host as resolvers want it: IPv6 without brackets, a name without the root's dot. */
function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}

/** RFC 6066 §3: a server name is a host name, never an address. */
function serverName(host: string): { servername?: string } {
  return isIP(bare(host)) ? {} : { servername: host };
}

/** A name server may never answer; without an end of its own the connection would wait for it for ever. */
async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new AppError('DOWNLOAD_TIMEOUT_ERROR', 'The host of the link was not found in time.')), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function resolve(name: string, lookup: Lookup): Promise<readonly string[]> {
  try {
    return await lookup(name);
  } catch (error) {
    throw new AppError('IMAGE_DOWNLOAD_FAILED', 'The host of the link is not known.', { cause: error });
  }
}

const resolveBySystem: Lookup = async (host) => (await systemLookup(host, { all: true })).map((entry) => entry.address);
