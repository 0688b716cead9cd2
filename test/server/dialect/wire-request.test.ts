import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../../src/errors.ts';
import { createRegistry, shippedModelsDir } from '../../../src/models/registry.ts';
import { DEFAULT_OPTIONS } from '../../../src/pipeline/options.ts';
import { parseJsonBody } from '../../../src/server/dialect/json-body.ts';
import { parseWireRequest } from '../../../src/server/dialect/wire-request.ts';

const spec = { maxEntries: 16, models: createRegistry({ shippedDir: shippedModelsDir() }) };
const parse = (body: unknown) => parseWireRequest(parseJsonBody(Buffer.from(JSON.stringify(body))), spec);
const entry = { media_data: 'AAAA' };

describe('a wire request', () => {
  test('with nothing but the needed: every default', () => {
    expect(parse({ media_info_list: [entry], parameter: {} })).toEqual({
      entries: [{ source: { kind: 'base64', text: 'AAAA' }, facePoints: undefined }],
      options: DEFAULT_OPTIONS,
      answer: 'jpg',
      report: false,
      extra: {},
    });
  });

  test('with everything', () => {
    const parameter = {
      rsp_media_type: 'PNG',
      strength: '0.25',
      face: 'Off',
      face_strength: 0.5,
      quality: '80',
      model: 'auto',
      scale: 1,
      report: 1,
    };
    const parsed = parse({ media_info_list: [{ ...entry, media_extra: { box: [1, 2, 3] } }], parameter, extra: { callback_url: 'x' } });
    expect(parsed.options).toEqual({ ...DEFAULT_OPTIONS, strength: 0.25, face: 'off', faceStrength: 0.5, quality: 80, format: 'png' });
    expect(parsed).toMatchObject({ answer: 'png', report: true, extra: { callback_url: 'x' } });
    expect(parsed.entries[0]?.facePoints).toEqual([
      [
        [1, 2],
        [4, 5],
      ],
    ]);
  });

  test('a link is known by its label or by itself', () => {
    const kinds = (media_data: string, label?: unknown) =>
      parse({ media_info_list: [{ media_data, media_profiles: { media_data_type: label } }], parameter: {} }).entries[0]?.source.kind;
    expect(kinds('http://a.b/c')).toBe('link');
    expect(kinds('HTTPS://a.b/c', 'jpg')).toBe('link');
    expect(kinds('ftp://a.b/c', 'url')).toBe('link');
    expect(kinds('httpAAAA', 'jpg')).toBe('base64');
  });

  test("a sibling's parameters are turned into ours before they are checked", () => {
    const mapParameter = (parameter: Readonly<Record<string, unknown>>) => ({ ...parameter, face: parameter.old === '1' ? 'off' : 'auto' });
    const parsed = parseWireRequest({ media_info_list: [entry], parameter: { old: '1' } }, { ...spec, mapParameter });
    expect(parsed.options.face).toBe('off');
  });

  test('any JSON object is understood or refused with a code of the fields', () => {
    const member = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constant([entry]), fc.constant({ rsp_media_type: 'url' }));
    const body = fc.oneof(
      fc.dictionary(fc.constantFrom('media_info_list', 'parameter', 'extra', 'x', '__proto__'), member),
      fc.record({
        media_info_list: fc.array(fc.oneof(fc.constant(entry), fc.jsonValue())),
        parameter: fc.dictionary(names, fc.jsonValue()),
      }),
    );
    fc.assert(
      fc.property(body, (value) => {
        try {
          const { entries, options } = parse(value);
          expect(entries.length).toBeGreaterThan(0);
          expect(options.strength >= 0 && options.strength <= 1 && options.quality >= 1 && options.quality <= 100).toBe(true);
        } catch (error) {
          if (!(error instanceof AppError)) throw error;
          expect(['PARAM_MISSING_ERROR', 'PARAM_TYPE_ERROR', 'PARAM_VALUE_ERROR']).toContain(error.kind);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

const names = fc.constantFrom('rsp_media_type', 'strength', 'face', 'face_strength', 'quality', 'model', 'scale', 'report', 'other');
