import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../../src/errors.ts';
import { decodeBase64 } from '../../../src/server/dialect/base64.ts';

const LIMIT = 1_000_000;
const bytes = fc.uint8Array({ minLength: 1, maxLength: 600 }).map((array) => Buffer.from(array));
/** White space put anywhere into a text. */
const spaced = (text: string, gaps: readonly [number, string][]) =>
  gaps.reduce((out, [at, gap]) => out.slice(0, at % (out.length + 1)) + gap + out.slice(at % (out.length + 1)), text);
const gaps = fc.array(fc.tuple(fc.nat(1000), fc.constantFrom(' ', '\n', '\r\n', '\t')), { maxLength: 20 });

describe('base64', () => {
  test('every spelling of any bytes gives the bytes back', () => {
    fc.assert(
      fc.property(bytes, fc.boolean(), fc.boolean(), fc.boolean(), gaps, (data, urlSafe, padded, prefixed, places) => {
        const plain = data.toString(urlSafe ? 'base64url' : 'base64');
        const text = padded ? plain : plain.replace(/=+$/, '');
        const whole = (prefixed ? 'data:image/png;base64,' : '') + spaced(text, places);
        expect(decodeBase64(whole, LIMIT).equals(data)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('any text is decoded or refused with its code, never anything else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.base64String(), fc.string()), (text) => {
        try {
          expect(decodeBase64(text, LIMIT).length).toBeGreaterThan(0);
        } catch (error) {
          expect((error as AppError).kind).toBe('GATEWAY_BASE64_DECODE_ERROR');
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('one foreign character anywhere is refused', () => {
    fc.assert(
      fc.property(bytes, fc.nat(), fc.constantFrom('!', '*', '.', '%', '图', '\u0000', '=A'), (data, place, foreign) => {
        const text = data.toString('base64').replace(/=+$/, '');
        const at = place % text.length;
        expect(() => decodeBase64(text.slice(0, at) + foreign + text.slice(at), LIMIT)).toThrow(AppError);
      }),
    );
  });

  test('the size is checked before decoding, to the byte', () => {
    const text = Buffer.alloc(1001).toString('base64');
    expect(decodeBase64(text, 1001).length).toBe(1001);
    expect(() => decodeBase64(text, 1000)).toThrow(expect.objectContaining({ kind: 'PICTURE_OVERRUN_ERROR' }));
  });

  test('tens of millions of characters neither hang nor overflow the stack', () => {
    const text = 'A'.repeat(60_000_000);
    expect(() => decodeBase64(text, LIMIT)).toThrow(expect.objectContaining({ kind: 'PICTURE_OVERRUN_ERROR' }));
    expect(() => decodeBase64(`${text}!`, LIMIT)).toThrow(expect.objectContaining({ kind: 'GATEWAY_BASE64_DECODE_ERROR' }));
    expect(() => decodeBase64(`data:${text}`, LIMIT)).toThrow(AppError);
    expect(() => decodeBase64('='.repeat(30_000_000), LIMIT)).toThrow(AppError);
  });
});
