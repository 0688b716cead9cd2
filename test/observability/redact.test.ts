import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { redact, redactText } from '../../src/observability/redact.ts';

describe('redaction', () => {
  test.each([
    ['a query', '/v1/aiquality?api_key=abc&api_secret=SECRET', '/v1/aiquality?api_key=***&api_secret=***'],
    ['a query in capitals', '?API_SECRET=SECRET&x=1', '?API_SECRET=***&x=1'],
    ['JSON text', '{"api_secret":"SECRET","a":1}', '{"api_secret":"***","a":1}'],
    ['a header line', 'X-Api-Secret: SECRET', 'X-Api-Secret: ***'],
    ['a bearer', 'Authorization Bearer SECRETSECRET=', 'Authorization Bearer ***'],
    ['a link with a password', 'get https://user:SECRET@host/a', 'get https://***@host/a'],
    ['harmless text', 'decode took 5 ms, code=7', 'decode took 5 ms, code=7'],
  ])('%s', (_name, text, expected) => {
    expect(redactText(text)).toBe(expected);
  });

  test.each(['api_key', 'apiKey', 'API-SECRET', 'X-Api-Key', 'authorization', 'Cookie', 'media_data', 'serverKey', 'password'])(
    'values under %s vanish at any depth',
    (name) => {
      expect(JSON.stringify(redact({ a: [{ b: { [name]: 'SECRET' } }] }))).toBe(JSON.stringify({ a: [{ b: { [name]: '***' } }] }));
    },
  );

  test('errors keep type, message, own fields and cause, without secrets', () => {
    const error = Object.assign(new TypeError('bad ?api_secret=SECRET', { cause: new Error('inner api_key=SECRET') }), {
      code: 'E1',
      password: 'SECRET',
    });
    const plain = redact({ err: error }) as { err: Record<string, unknown> };
    expect(plain.err).toMatchObject({ type: 'TypeError', message: 'bad ?api_secret=***', code: 'E1', password: '***' });
    expect(plain.err.cause).toMatchObject({ message: 'inner api_key=***' });
    expect(JSON.stringify(plain)).not.toContain('SECRET');
  });

  test('bytes become their number, long texts their beginning, cycles an end', () => {
    expect(redact(Buffer.alloc(5000))).toBe('(5000 bytes)');
    expect((redact('x'.repeat(100_000)) as string).length).toBeLessThan(5000);
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    expect(JSON.stringify(redact(cycle)).length).toBeLessThan(1000);
  });

  test('a secret under a secret name never comes through, wherever it stands', () => {
    const secret = 'S3CR3T-value';
    const names = fc.constantFrom('api_secret', 'authorization', 'X-Api-Key', 'media_data');
    const tree = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        names.map((name) => ({ [name]: secret })),
        names.map((name) => `a=1&${name}=${secret}`.replace('authorization=', 'api_key=').replace('media_data=', 'api_secret=')),
        fc.array(tie('node'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom('a', 'b', 'url'), tie('node'), { maxKeys: 3 }),
      ),
    })).node;
    fc.assert(
      fc.property(tree, (value) => !JSON.stringify(redact(value) ?? null).includes(secret)),
      { numRuns: 500 },
    );
  });
});
