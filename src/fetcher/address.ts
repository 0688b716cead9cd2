import ipaddr from 'ipaddr.js';

/**
 * Whether an address is one of the public internet. IPv4: everything IANA reserves is out (RFC 6890:
 * private, loopback, link-local with the clouds' metadata addresses, carrier-grade NAT, multicast,
 * documentation, benchmarking, broadcast). IPv6: only global unicast 2000::/3, less its special
 * ranges; every form that carries an IPv4 address inside (mapped RFC 4291, NAT64 RFC 6052/8215,
 * 6to4 RFC 3056, Teredo RFC 4380, translated RFC 6145, the deprecated compatible form) is out,
 * even around a public one: a host that can be reached honestly has an honest address.
 */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.parse(text);
  if (address.range() !== 'unicast') return false;
  return address.kind() === 'ipv4' || address.match(ipaddr.parseCIDR('2000::/3'));
}

/** The IPv4 address inside an IPv4-mapped one, so that allow-list entries mean both spellings. */
export function unmapped(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  return ipaddr.isValid(text) ? ipaddr.process(text) : undefined;
}
