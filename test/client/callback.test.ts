import { expect, test } from 'vitest';
import { verifyCallback } from '../../src/client/index.ts';
import { signCallback } from '../../src/jobs/callbacks.ts';

const now = Date.UTC(2026, 10, 22);
const body = '{"msg_id":"m","明":1}';
const headers = signCallback('delivery-1', body, 'secret', now);

test('what the service signs is genuine, as text or bytes, in either form of headers', () => {
  expect(verifyCallback(headers, body, 'secret', { now })).toBe('delivery-1');
  expect(verifyCallback(new Headers(headers), Buffer.from(body), 'secret', { now: now + 299_000 })).toBe('delivery-1');
});

test.each<[string, () => string | undefined]>([
  ['another secret', () => verifyCallback(headers, body, 'Secret', { now })],
  ['another body', () => verifyCallback(headers, body.replace('1', '2'), 'secret', { now })],
  ['another delivery', () => verifyCallback({ ...headers, 'x-mingxi-delivery': 'delivery-2' }, body, 'secret', { now })],
  ['another time', () => verifyCallback({ ...headers, 'x-mingxi-timestamp': String(now / 1000 + 1) }, body, 'secret', { now })],
  ['an old one', () => verifyCallback(headers, body, 'secret', { now: now + 301_000 })],
  ['one from the future', () => verifyCallback(headers, body, 'secret', { now: now - 301_000 })],
  ['a narrower tolerance', () => verifyCallback(headers, body, 'secret', { now: now + 10_000, tolerance: 5 })],
  ['no signature', () => verifyCallback({ ...headers, 'x-mingxi-signature': undefined }, body, 'secret', { now })],
  [
    'a cut signature',
    () => verifyCallback({ ...headers, 'x-mingxi-signature': headers['x-mingxi-signature']?.slice(0, -1) }, body, 'secret', { now }),
  ],
  ['a time that is no number', () => verifyCallback({ ...headers, 'x-mingxi-timestamp': 'NaN' }, body, 'secret', { now })],
  ['two signatures', () => verifyCallback({ ...headers, 'x-mingxi-signature': ['a', 'b'] }, body, 'secret', { now })],
  ['no headers', () => verifyCallback({}, body, 'secret', { now })],
])('%s is not', (_, check) => {
  expect(check()).toBeUndefined();
});
