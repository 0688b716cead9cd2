import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkNetwork } from '../../src/inference/check/check-network.ts';
import type { Draft } from '../../src/models/draft.ts';
import { readGraph } from '../../src/models/onnx/graph.ts';
import { WireError } from '../../src/models/onnx/wire.ts';
import { presetDraft } from '../../src/models/presets.ts';
import { detector, faceNetwork, multiplier, type Network, onnx, repeater } from '../support/onnx.ts';

const UNIT = { layout: 'NCHW', type: 'float32', channels: 'RGB', range: [0, 1] } as const satisfies Draft['input'];
const draft = (changes: Partial<Draft> = {}): Draft => ({
  task: 'restore',
  input: UNIT,
  scale: 1,
  tile: { multiple: 8, halo: 16, max: 256 },
  licence: 'MIT',
  ...changes,
});

const picture = (name: string, shape: readonly (number | string)[] = [1, 3, 'h', 'w']) => ({ name, shape });
/** Input to output by one operator. */
const single = (operator: string, changes: Partial<Network> = {}, domain?: string): Buffer =>
  onnx({
    inputs: [picture('input')],
    outputs: [picture('output')],
    nodes: [{ operator, inputs: ['input'], output: 'output', ...(domain ? { domain } : {}) }],
    ...changes,
  });

describe('networks that are what their manifest says', () => {
  it.each([
    ['NCHW', 'float32', 'RGB', [0, 1]],
    ['NCHW', 'float32', 'BGR', [-1, 1]],
    ['NHWC', 'float32', 'RGB', [0, 255]],
    ['NHWC', 'uint8', 'BGR', undefined],
    ['NCHW', 'uint8', 'RGB', undefined],
  ] as const)('same size, %s %s %s %s', async (layout, type, channels, range) => {
    const input = { layout, type, channels, ...(range ? { range: [...range] as [number, number] } : {}) };
    const found = await checkNetwork(multiplier({ tensor: input, factors: [0.95, 0.95, 0.95] }), draft({ input }));
    expect(found).toMatchObject({ input: { ...input, name: 'input' }, output: { ...input, name: 'output' }, scalars: [] });
  });

  it.each([2, 4] as const)('enlarger ×%i', async (scale) => {
    expect(await checkNetwork(repeater(scale), presetDraft('realesrgan', scale))).toMatchObject({ tile: { max: 256 } });
  });

  it('a fixed input shape becomes the tile size', async () => {
    const found = await checkNetwork(repeater(4, 64), presetDraft('realesrgan'));
    expect(found.tile).toEqual({ multiple: 4, halo: 16, max: 64, size: 64 });
  });

  it.each(['gfpgan', 'restoreformer'])('aligned faces, %s', async (preset) => {
    expect((await checkNetwork(faceNetwork(), presetDraft(preset))).scalars).toEqual([]);
  });

  it('aligned faces of another order and range, by manifest', async () => {
    const input = { layout: 'NHWC', type: 'float32', channels: 'BGR', range: [0, 1] } as const satisfies Draft['input'];
    const face = draft({ task: 'face', input, tile: { multiple: 1, halo: 0, max: 512, size: 512 } });
    await expect(checkNetwork(multiplier({ tensor: input, side: 512 }), face)).resolves.toMatchObject({ input, tile: { size: 512 } });
    await expect(checkNetwork(faceNetwork(), face)).rejects.toThrow(
      /expected float32 \[1, 512, 512, 3\] \(NHWC\), received float32 \[1, 3, 512, 512\]/,
    );
  });

  it.each(['float32', 'float64'] as const)('aligned faces with a second input of %s', async (type) => {
    const { input, scalars } = await checkNetwork(faceNetwork(type), presetDraft('codeformer'));
    expect(input.name).toBe('x');
    expect(scalars).toEqual([{ name: 'w', type, shape: [], value: 0.7 }]);
  });

  it.each(['yunet', 'scrfd'] as const)('detector, %s', async (kind) => {
    expect(await checkNetwork(detector(kind), presetDraft(kind))).toMatchObject({ tile: { size: 640 } });
  });
});

const whole = multiplier({ tensor: UNIT });
const withWeights = (location?: string) =>
  single('Mul', {
    nodes: [{ operator: 'Mul', inputs: ['input', 'weights'], output: 'output' }],
    constants: [{ name: 'weights', shape: [1], values: [1], ...(location ? { location } : {}) }],
  });

describe('files that are not are refused with what was expected and what was received', () => {
  it.each<[string, Buffer, RegExp]>([
    ['an empty file', Buffer.alloc(0), /an empty file/],
    ['text', Buffer.from('Hello, this is no network at all.'), /expected an ONNX file, received 33 bytes/],
    ['a web page', Buffer.from('<!doctype html><title>404</title>'), /a web page/],
    ['PyTorch weights', Buffer.from('PK\x03\x04 weights'), /ZIP archive \(PyTorch/],
    ['a Git LFS pointer', Buffer.from('version https://git-lfs.github.com/spec/v1\n'), /Git LFS pointer/],
    ['a truncated file', whole.subarray(0, whole.length - 60), /cut off/],
    ['a file without a graph', onnx({ inputs: [], outputs: [], nodes: [] }).subarray(0, 2), /no graph/],
    ['no outputs', single('Relu', { outputs: [] }), /expected an output, received none/],
    [
      'rank 3',
      single('Relu', { inputs: [picture('input', [3, 'h', 'w'])] }),
      /expected float32 \[1, 3, height, width\] \(NCHW\), received float32 \[3, h, w\]/,
    ],
    ['one channel', single('Relu', { inputs: [picture('input', [1, 1, 'h', 'w'])] }), /received float32 \[1, 1, h, w\]/],
    ['a batch of 2', single('Relu', { inputs: [picture('input', [2, 3, 'h', 'w'])] }), /received float32 \[2, 3, h, w\]/],
    [
      'the other layout',
      multiplier({ tensor: { ...UNIT, layout: 'NHWC' } }),
      /\[1, 3, height, width\] \(NCHW\), received float32 \[1, height, width, 3\]/,
    ],
    ['half precision', single('Relu', { inputs: [{ ...picture('input'), type: 'float16' }] }), /expected float32 .*received float16/],
    ['uint8 instead of float32', multiplier({ tensor: { layout: 'NCHW', type: 'uint8', channels: 'RGB' } }), /received uint8/],
    [
      'output of rank 3',
      single('Relu', { outputs: [picture('output', [3, 'h', 'w'])] }),
      /output output: expected .*received float32 \[3, h, w\]/,
    ],
    ['output of four channels', single('Relu', { outputs: [picture('output', [1, 4, 'h', 'w'])] }), /received float32 \[1, 4, h, w\]/],
    ['an enlarger called same-size', repeater(2), /expected float32 \[1, 3, \d+, \d+\] .*scale 1, received float32 \[1, 3, 1\d\d, 1\d\d\]/],
    ['a second input nobody told of', faceNetwork('float32'), /inputs: expected a picture, received "x", "w"/],
    ['a custom operator', single('DeformConv2d', {}, 'mmdeploy'), /custom operator mmdeploy::DeformConv2d/],
    ['an operator nobody knows', single('Frobnicate'), /cannot load it: .*Frobnicate/],
    ['weights in another file', withWeights('weights.bin'), /keeps weights in "weights.bin"/],
    ['weights outside the folder', withWeights('../../../etc/passwd'), /keeps weights in "..\/..\/..\/etc\/passwd"/],
    [
      'a range ten times too large',
      multiplier({ tensor: UNIT, factors: [10, 10, 10] }),
      /expected values from 0 to 1 \(range\), received [\d.]+ to [\d.]+/,
    ],
    [
      'no finite numbers',
      single('Log', {
        nodes: [
          { operator: 'Sub', inputs: ['input', 'input'], output: 'zero' },
          { operator: 'Div', inputs: ['zero', 'zero'], output: 'output' },
        ],
      }),
      /expected finite numbers/,
    ],
    ['another colour', multiplier({ tensor: UNIT, factors: [0.3, 1, 1] }), /mean red, green, blue .*range, channels or layout/],
    [
      'sides fixed, not square',
      single('Relu', { inputs: [picture('input', [1, 3, 64, 96])], outputs: [picture('output', [1, 3, 64, 96])] }),
      /square or free sides/,
    ],
    ['fixed sides of the wrong multiple', multiplier({ tensor: UNIT, side: 36 }), /multiples of 8/],
    [
      'an inner shape fixed by tracing',
      single('Reshape', {
        nodes: [{ operator: 'Reshape', inputs: ['input', 'shape'], output: 'output' }],
        constants: [{ name: 'shape', type: 'int64', shape: [4], values: [1, 3, 96, 64] }],
      }),
      /for a picture of 96×64|received float32 \[1, 3, 96, 64\]|cannot be run/,
    ],
  ])('%s', async (_, file, reason) => {
    await expect(checkNetwork(file, draft())).rejects.toMatchObject({
      name: 'AppError',
      kind: 'PROCESS_ERROR',
      message: expect.stringMatching(reason),
    });
  });

  it('a network that clips to [0, 1] under a manifest that says [0, 255]', async () => {
    const clip = single('Clip', {
      nodes: [{ operator: 'Clip', inputs: ['input', 'zero', 'one'], output: 'output' }],
      constants: [
        { name: 'zero', shape: [], values: [0] },
        { name: 'one', shape: [], values: [1] },
      ],
    });
    await expect(checkNetwork(clip, draft())).resolves.toBeDefined();
    await expect(checkNetwork(clip, draft({ input: { ...UNIT, range: [0, 255] } }))).rejects.toThrow(/mean red, green, blue/);
  });

  it('a network that gives BGR under a manifest that says RGB', async () => {
    const swapped = single('Gather', {
      nodes: [{ operator: 'Gather', inputs: ['input', 'order'], output: 'output', attributes: { axis: 1 } }],
      constants: [{ name: 'order', type: 'int64', shape: [3], values: [2, 1, 0] }],
    });
    await expect(checkNetwork(swapped, draft())).rejects.toThrow(/mean red, green, blue/);
    await expect(checkNetwork(swapped, draft({ output: { ...UNIT, channels: 'BGR' } }))).resolves.toBeDefined();
  });

  it.each<[string, Buffer, string, RegExp]>([
    ['a face network without the second input', faceNetwork(), 'codeformer', /a picture and 1 number, received "input"/],
    [
      'faces of 256 px',
      multiplier({ tensor: UNIT, side: 256 }),
      'gfpgan',
      /expected float32 \[1, 3, 512, 512\] \(NCHW\), received float32 \[1, 3, 256, 256\]/,
    ],
    ['a detector of another kind', detector('scrfd'), 'yunet', /12 tensors of yunet .*received 9/],
    ['a detector with a stride less', detector('yunet', [8, 16]), 'yunet', /received 8/],
    ['a restorer called a detector', multiplier({ tensor: UNIT, side: 640 }), 'scrfd', /9 tensors of scrfd .*received 1 /],
  ])('%s', async (_, file, preset, reason) => {
    await expect(checkNetwork(file, presetDraft(preset))).rejects.toThrow(reason);
  });
});

describe('the reader of a stranger’s bytes', () => {
  it('refuses any bytes with its own error, and never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        try {
          readGraph(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 2000, seed: 1 },
    );
  });

  it('says the same of a damaged file: one flipped byte, or cut anywhere', () => {
    const file = faceNetwork('float64');
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, change, cut) => {
        const damaged = cut ? file.subarray(0, at) : Buffer.from(file.map((byte, i) => (i === at ? byte ^ change : byte)));
        try {
          readGraph(damaged);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 2000, seed: 2 },
    );
  });
});
