import type { PixelTensor } from '../models/manifest.ts';

/** The dimensions of one picture's tensor. */
export function tensorShape({ layout }: PixelTensor, width: number, height: number): [number, number, number, number] {
  return layout === 'NHWC' ? [1, height, width, 3] : [1, 3, height, width];
}

/** HWC uint8 RGB is the tensor itself: nothing to convert. */
const isOurs = ({ layout, type, channels }: PixelTensor) => layout === 'NHWC' && type === 'uint8' && channels === 'RGB';

/** Distance between the samples of a channel, and where the channel of HWC RGB begins. */
function order({ layout, channels }: PixelTensor, count: number): { readonly step: number; readonly start: (channel: number) => number } {
  const place = (channel: number) => (channels === 'RGB' ? channel : 2 - channel);
  return layout === 'NHWC' ? { step: 3, start: place } : { step: 1, start: (channel) => place(channel) * count };
}

/** HWC uint8 RGB → the samples a network takes. */
export function toTensor(rgb: Uint8Array, tensor: PixelTensor): Uint8Array | Float32Array {
  if (isOurs(tensor)) return rgb;
  const count = rgb.length / 3;
  const { step, start } = order(tensor, count);
  const [black, white] = tensor.range ?? [0, 255];
  const values = Float32Array.from({ length: 256 }, (_, value) => black + ((white - black) * value) / 255);
  const out = tensor.type === 'uint8' ? new Uint8Array(rgb.length) : new Float32Array(rgb.length);
  for (let c = 0; c < 3; c++) {
    for (let i = 0, from = c, to = start(c); i < count; i++, from += 3, to += step) out[to] = values[rgb[from] as number] as number;
  }
  return out;
}

/** The samples a network gave → HWC uint8 RGB, clipped and rounded; undefined when one is not a finite number. */
export function fromTensor(data: Uint8Array | Float32Array, tensor: PixelTensor): Uint8Array | undefined {
  if (isOurs(tensor)) return data as Uint8Array;
  const count = data.length / 3;
  const { step, start } = order(tensor, count);
  const [black, white] = tensor.range ?? [0, 255];
  const factor = 255 / (white - black);
  const out = new Uint8Array(data.length);
  for (let c = 0; c < 3; c++) {
    for (let i = 0, from = start(c), to = c; i < count; i++, from += step, to += 3) {
      const value = ((data[from] as number) - black) * factor;
      if (!Number.isFinite(value)) return undefined;
      out[to] = value <= 0 ? 0 : value >= 255 ? 255 : Math.round(value);
    }
  }
  return out;
}
