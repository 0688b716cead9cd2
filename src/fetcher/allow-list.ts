import ipaddr from 'ipaddr.js';
import { ConfigError } from '../config.ts';
import { unmapped } from './address.ts';

/** What the operator lets source links reach beyond the public internet. */
export interface AllowList {
  /** By name: an exact host, or `*.suffix` for every host below it. */
  host(name: string): boolean;
  /** By address: an address or a CIDR range. */
  address(address: string): boolean;
}

/**
 * Reads entries such as `files.lan`, `*.corp.example`, `10.0.0.0/8`, `::1`.
 * @throws ConfigError listing every entry that is neither a host nor a range
 */
export function createAllowList(entries: readonly string[]): AllowList {
  const hosts = new Set<string>();
  const suffixes: string[] = [];
  const ranges: [ipaddr.IPv4 | ipaddr.IPv6, number][] = [];
  const problems: string[] = [];
  for (const entry of entries) {
    const text = entry.toLowerCase().replace(/^\[(.*)\]$/, '$1');
    if (ipaddr.isValidCIDR(text)) ranges.push(ipaddr.parseCIDR(text));
    else if (ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text)) ranges.push(wholeAddress(text));
    else if (/^\*\.[a-z0-9.-]+$/.test(text)) suffixes.push(text.slice(1));
    else if (/^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/.test(text) && !/^[\d.]+$/.test(text)) hosts.add(text);
    else problems.push(`MINGXI_FETCH_ALLOW: expected a host, *.suffix, address or CIDR range, received ${JSON.stringify(entry)}`);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    host(name) {
      const plain = name.toLowerCase().replace(/\.$/, '');
      return hosts.has(plain) || suffixes.some((suffix) => plain.endsWith(suffix));
    },
    address(address) {
      const parsed = unmapped(address);
      return parsed !== undefined && ranges.some((range) => parsed.kind() === range[0].kind() && parsed.match(range));
    },
  };
}

function wholeAddress(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  const address = ipaddr.process(text);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}
