import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { integer } from '../../../src/cli/bench/protobuf.ts';
import { YARDSTICK_GMAC, yardstickModel } from '../../../src/cli/bench/yardstick.ts';

describe('yardstick network', () => {
  test('is a model ONNX Runtime accepts, and computes what its constants say', async () => {
    const session = await InferenceSession.create(yardstickModel());
    const input = new Tensor('float32', new Float32Array(3 * 256 * 256).fill(0.5), [1, 3, 256, 256]);
    const [name = ''] = session.outputNames;
    const output = (await session.run({ x0: input }))[name];
    if (!output) throw new Error('the network has no output');
    expect(output.dims).toEqual([1, 3, 256, 256]);
    // Every layer averages its inputs, so far from the border the constant comes through.
    const middle = (128 * 256 + 128) | 0;
    expect((output.data as Float32Array)[middle]).toBeCloseTo(0.5, 3);
    await session.release();
  });

  test('costs what it says: 32 convolutions of 64 → 64 and two at the ends', () => {
    expect(YARDSTICK_GMAC).toBeCloseTo((32 * 64 * 64 * 9 + 2 * 3 * 64 * 9) / 1000, 9);
  });

  test('numbers above 127 take two bytes on the wire', () => {
    expect([...integer(1, 300)]).toEqual([0x08, 0xac, 0x02]);
  });
});
