import { describe, expect, test } from 'vitest';
import type { ConfigError } from '../../src/config.ts';
import { isPublicAddress } from '../../src/fetcher/address.ts';
import { createAllowList } from '../../src/fetcher/allow-list.ts';

describe('addresses that are not of the public internet', () => {
  test.each([
    ['loopback', '127.0.0.1'],
    ['loopback, end of its range', '127.255.255.254'],
    ['this network', '0.0.0.0'],
    ['this network, another', '0.1.2.3'],
    ['private class A', '10.0.0.1'],
    ['private class B, first', '172.16.0.1'],
    ['private class B, last', '172.31.255.254'],
    ['private class C', '192.168.1.1'],
    ['link-local', '169.254.0.1'],
    ['metadata of the large clouds', '169.254.169.254'],
    ['container credentials of one of them', '169.254.170.2'],
    ['metadata of another cloud, in carrier-grade NAT', '100.100.100.200'],
    ['carrier-grade NAT', '100.64.0.1'],
    ['protocol assignments', '192.0.0.1'],
    ['documentation 1', '192.0.2.1'],
    ['documentation 2', '198.51.100.1'],
    ['documentation 3', '203.0.113.1'],
    ['6to4 relay', '192.88.99.1'],
    ['benchmarking', '198.18.0.1'],
    ['multicast', '224.0.0.1'],
    ['reserved', '240.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['IPv6 loopback', '::1'],
    ['IPv6 unspecified', '::'],
    ['mapped loopback', '::ffff:127.0.0.1'],
    ['mapped loopback in hex', '::ffff:7f00:1'],
    ['mapped private', '::ffff:10.0.0.1'],
    ['mapped public: no honest address either', '::ffff:8.8.8.8'],
    ['compatible loopback', '::127.0.0.1'],
    ['translated loopback (RFC 6145)', '::ffff:0:127.0.0.1'],
    ['NAT64 loopback', '64:ff9b::7f00:1'],
    ['NAT64 metadata', '64:ff9b::a9fe:a9fe'],
    ['local NAT64', '64:ff9b:1::7f00:1'],
    ['6to4 loopback', '2002:7f00:1::1'],
    ['6to4 private', '2002:a00:1::1'],
    ['Teredo', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
    ['unique local', 'fc00::1'],
    ['unique local, the usual half', 'fd12:3456:789a::1'],
    ['metadata over IPv6', 'fd00:ec2::254'],
    ['IPv6 link-local', 'fe80::1'],
    ['site-local', 'fec0::1'],
    ['IPv6 multicast', 'ff02::1'],
    ['IPv6 documentation', '2001:db8::1'],
    ['newer IPv6 documentation', '3fff::1'],
    ['discard', '100::1'],
    ['IPv6 benchmarking', '2001:2::1'],
    ['ORCHID', '2001:20::1'],
    ['segment routing', '5f00::1'],
    ['unassigned space', '4000::1'],
    ['no address at all', 'example.com'],
    ['empty', ''],
  ])('%s: %s', (_name, address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

test.each([
  '8.8.8.8',
  '1.1.1.1',
  '93.184.216.34',
  '172.15.255.255',
  '172.32.0.1',
  '100.63.255.255',
  '2606:4700::1111',
  '2400:3200::1',
  '2a00:1450:4001::1',
])('%s is public', (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

describe('allow-list', () => {
  const list = createAllowList(['files.lan', '*.corp.example', '10.0.0.0/8', '192.168.7.9', 'fd00::/8', '[::1]', 'NAS_1']);

  test('names: exact, in any capitals, with a last dot; suffixes cover what is below them', () => {
    for (const host of ['files.lan', 'FILES.LAN', 'files.lan.', 'a.corp.example', 'a.b.corp.example', 'nas_1'])
      expect(list.host(host)).toBe(true);
    for (const host of ['xfiles.lan', 'files.lan.evil.com', 'corp.example', 'corp.example.evil.com', 'lan'])
      expect(list.host(host)).toBe(false);
  });

  test('addresses: ranges, single ones, IPv4 also in its mapped form', () => {
    for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '192.168.7.9', 'fd12::1', '::1']) expect(list.address(address)).toBe(true);
    for (const address of ['11.0.0.1', '192.168.7.10', 'fc00::1', '127.0.0.1', '::2', 'files.lan'])
      expect(list.address(address)).toBe(false);
  });

  test('nothing is allowed by an empty list', () => {
    expect(createAllowList([]).host('localhost')).toBe(false);
    expect(createAllowList([]).address('127.0.0.1')).toBe(false);
  });

  test('every malformed entry is named', () => {
    const entries = ['10.0.0.0/33', 'http://a.b', 'a b', '*', '1.2.3', 'ok.example', '*.'];
    const problems = (() => {
      try {
        createAllowList(entries);
      } catch (error) {
        return (error as ConfigError).problems;
      }
      return [];
    })();
    expect(problems.length).toBe(6);
    for (const entry of entries.filter((text) => text !== 'ok.example')) expect(problems.join('\n')).toContain(JSON.stringify(entry));
  });
});
