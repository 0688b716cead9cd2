import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeEach, describe, expect, test } from 'vitest';
import { detector, faceNetwork, multiplier, onnx, repeater } from '../support/onnx.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { mingxi, start } from './cli.ts';

let data = '';
beforeEach(() => {
  data = temporaryFolder();
});

const UNIT = { layout: 'NCHW', type: 'float32', channels: 'RGB', range: [0, 1] } as const;
const MANIFEST = { task: 'restore', input: UNIT, scale: 1, tile: { multiple: 8, halo: 16, max: 256 }, licence: 'CC BY 4.0' };
const put = (name: string, content: Buffer | string) => {
  writeFileSync(join(data, name), content);
  return join(data, name);
};
const darker = () => put('My Darker.onnx', multiplier({ tensor: { ...UNIT, range: [0, 1] }, factors: [0.9, 0.9, 0.9] }));
const manifest = (changes: object = {}) => put('manifest.json', JSON.stringify({ ...MANIFEST, ...changes }));
const run = (args: readonly string[], environment: Record<string, string> = {}) => mingxi([...args, '--data', data], { environment });
/** What is in the folder of imported models, hidden or not. */
const registered = () => (existsSync(join(data, 'models')) ? readdirSync(join(data, 'models')) : []);

async function json(...args: string[]) {
  const { status, stdout, stderr } = await run([...args, '--json']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout.toString());
}

describe('an imported network', () => {
  test('is added, listed, described, verified, used and removed', async () => {
    const added = await json('models', 'add', darker(), '--manifest', manifest({ description: 'Darkens.' }));
    expect(added).toMatchObject({ name: 'my-darker', task: 'restore', input: { name: 'input' }, cost: { parameters: 3 } });
    expect(registered()).toEqual(['my-darker']);
    expect(readdirSync(join(data, 'models', 'my-darker')).sort()).toEqual(['CARD.md', 'manifest.json', 'network.onnx']);

    const listed = (await json('models', 'list')).find((model: { name: string }) => model.name === 'my-darker');
    expect(listed).toMatchObject({ origin: 'imported', licence: 'CC BY 4.0', used: true, scale: 1, default: false });
    expect((await json('models', 'card', 'my-darker')).card).toMatch(/Darkens\..*My Darker\.onnx.*CC BY 4\.0/s);
    expect(await json('models', 'verify')).toContainEqual({ name: 'my-darker', ok: true });

    const source = put(
      'grey.png',
      await sharp({ create: { width: 64, height: 64, channels: 3, background: '#646464' } })
        .png()
        .toBuffer(),
    );
    const environment = { MINGXI_DATA: data, MINGXI_WORKERS: '1' };
    const restored = await mingxi(['restore', source, '-o', join(data, 'out.png'), '--model', 'my-darker'], { environment });
    expect(restored).toMatchObject({ status: 0, stderr: '' });
    const { data: pixels } = await sharp(join(data, 'out.png')).raw().toBuffer({ resolveWithObject: true });
    expect(new Set(pixels)).toEqual(new Set([90]));

    expect(await json('models', 'remove', 'my-darker')).toEqual({ removed: 'my-darker' });
    expect(registered()).toEqual([]);
    expect((await json('models', 'list')).map((model: { name: string }) => model.name)).not.toContain('my-darker');
  });

  test('an enlarger works through restore --scale, by name and by auto', async () => {
    const file = put('x2.onnx', repeater(2));
    expect(await json('models', 'add', file, '--preset', 'realesrgan', '--scale', '2', '--name', 'twice')).toMatchObject({ scale: 2 });
    const source = put(
      'small.png',
      await sharp({ create: { width: 70, height: 50, channels: 3, background: '#345' } })
        .png()
        .toBuffer(),
    );
    for (const model of [['--model', 'twice'], []]) {
      const out = join(data, 'out.png');
      const environment = { MINGXI_DATA: data, MINGXI_WORKERS: '1' };
      const ended = await mingxi(['restore', source, '-o', out, '--force', '--scale', '2', ...model], { environment });
      expect(ended).toMatchObject({ status: 0, stderr: '' });
      expect(await sharp(out).metadata()).toMatchObject({ width: 140, height: 100 });
    }
    const none = await mingxi(['restore', source, '-o', join(data, 'no.png'), '--scale', '4'], { environment: { MINGXI_DATA: data } });
    expect(none.status).toBe(2);
    expect(none.stderr).toMatch(/scale 4 is not offered/);
  });

  test('face networks and detectors are registered, and list says how they come to be used', async () => {
    await json('models', 'add', put('face.onnx', faceNetwork('float64')), '--preset', 'codeformer');
    await json('models', 'add', put('yunet.onnx', detector('yunet')), '--preset', 'yunet');
    const listed = await json('models', 'list');
    for (const name of ['codeformer', 'yunet']) expect(listed).toContainEqual(expect.objectContaining({ name, used: false }));
    expect((await run(['models', 'list'])).stdout.toString()).toMatch(/codeformer .*used when MINGXI_FACE_MODEL names it/);
    const chosen = { MINGXI_DATA: data, MINGXI_FACE_MODEL: 'codeformer', MINGXI_FACE_DETECTOR: 'yunet' };
    const { stdout } = await mingxi(['models', 'list', '--json'], { environment: chosen });
    for (const name of ['codeformer', 'yunet'])
      expect(JSON.parse(stdout.toString())).toContainEqual(expect.objectContaining({ name, used: true }));
    expect(await json('models', 'verify')).toContainEqual({ name: 'codeformer', ok: true });
  });

  test('a network changed after it was added is found by verify and not used', async () => {
    await json('models', 'add', darker(), '--manifest', manifest(), '--name', 'mine');
    truncateSync(join(data, 'models', 'mine', 'network.onnx'), 100);
    const { status, stdout } = await run(['models', 'verify', '--json']);
    expect(status).toBe(1);
    expect(JSON.parse(stdout.toString())).toContainEqual({ name: 'mine', ok: false, problem: expect.stringMatching(/checksum differs/) });
  });
});

/** A network that asks for 4 GB as soon as it runs. */
const glutton = () =>
  onnx({
    inputs: [{ name: 'x', shape: [1, 3, 'h', 'w'] }],
    outputs: [{ name: 'y', shape: [1, 3, 'h', 'w'] }],
    nodes: [
      { operator: 'ConstantOfShape', inputs: ['shape'], output: 'huge' },
      { operator: 'ReduceMax', inputs: ['huge'], output: 'zero' },
      { operator: 'Add', inputs: ['x', 'zero'], output: 'y' },
    ],
    constants: [{ name: 'shape', type: 'int64', shape: [1], values: [1_000_000_000] }],
  });

/** A network whose constants alone take thousands of GFLOP to fold. */
const sloth = () =>
  onnx({
    inputs: [{ name: 'x', shape: [1, 3, 'h', 'w'] }],
    outputs: [{ name: 'y', shape: [1, 3, 'h', 'w'] }],
    nodes: [
      { operator: 'ConstantOfShape', inputs: ['shape'], output: 'm0' },
      ...Array.from({ length: 16 }, (_, i) => ({ operator: 'MatMul', inputs: [`m${i}`, `m${i}`], output: `m${i + 1}` })),
      { operator: 'ReduceMax', inputs: ['m16'], output: 'zero' },
      { operator: 'Add', inputs: ['x', 'zero'], output: 'y' },
    ],
    constants: [{ name: 'shape', type: 'int64', shape: [2], values: [6000, 6000] }],
  });

describe('what is refused leaves nothing behind', () => {
  const cases: [string, () => { args: string[]; environment?: Record<string, string> }, number, RegExp][] = [
    [
      'no ONNX file',
      () => ({ args: [put('a.onnx', 'PK\x03\x04'), '--preset', 'scunet'] }),
      1,
      /^mingxi: The network is refused: expected an ONNX file, received a ZIP/,
    ],
    ['a truncated file', () => ({ args: [put('a.onnx', repeater(4).subarray(0, 150)), '--preset', 'realesrgan'] }), 1, /cut off/],
    [
      'a file that is too large',
      () => ({
        args: [put('a.onnx', Buffer.concat([repeater(4), Buffer.alloc(2000)])), '--preset', 'realesrgan'],
        environment: { MINGXI_MODEL_MAX_BYTES: '1024' },
      }),
      1,
      /the file has \d{4} bytes; at most 1024 are accepted/,
    ],
    [
      'the wrong checksum',
      () => ({ args: [darker(), '--manifest', manifest({ sha256: '0'.repeat(64) })] }),
      1,
      /expected the checksum 0{64}, received [0-9a-f]{64}/,
    ],
    [
      'a network that eats memory',
      () => ({
        args: [put('a.onnx', glutton()), '--preset', 'nafnet'],
        environment: { MINGXI_MODEL_CHECK_MEMORY: String(500 * 1024 * 1024) },
      }),
      1,
      /its check took \d+ MB of memory, allowed are 500/,
    ],
    [
      'a check that takes too long',
      () => ({ args: [put('a.onnx', sloth()), '--preset', 'nafnet'], environment: { MINGXI_MODEL_CHECK_TIME: '1' } }),
      1,
      /its check took more than 1 s/,
    ],
    [
      'the name of a shipped model',
      () => ({ args: [darker(), '--manifest', manifest(), '--name', 'general'] }),
      2,
      /there is a shipped model general already/,
    ],
    ['the name auto', () => ({ args: [darker(), '--manifest', manifest({ name: 'auto' })] }), 2, /"auto" means the default/],
    ['a name that is a path', () => ({ args: [darker(), '--manifest', manifest(), '--name', '../x'] }), 2, /expected 1 to 64 of a-z/],
    ['no such file', () => ({ args: [join(data, 'none.onnx'), '--preset', 'scunet'] }), 2, /There is no file/],
    ['neither manifest nor preset', () => ({ args: [darker()] }), 2, /needs either --manifest or --preset/],
    [
      'an unknown preset',
      () => ({ args: [darker(), '--preset', 'magic'] }),
      2,
      /gfpgan, codeformer, restoreformer, realesrgan, scunet, nafnet, yunet, scrfd/,
    ],
    [
      'a scale that the preset has not',
      () => ({ args: [darker(), '--preset', 'scunet', '--scale', '2'] }),
      2,
      /scunet does not enlarge, received 2/,
    ],
    ['a manifest that is no JSON', () => ({ args: [darker(), '--manifest', put('m.json', '{')] }), 2, /The manifest is no JSON/],
    ['a manifest with an unknown field', () => ({ args: [darker(), '--manifest', manifest({ halo: 3 })] }), 2, /halo: no such field/],
    [
      'a manifest with a wrong layout',
      () => ({ args: [darker(), '--manifest', manifest({ input: { ...UNIT, layout: 'CHW' } })] }),
      2,
      /input\.layout: expected "NHWC" or "NCHW", received "CHW"/,
    ],
    ['a manifest without licence', () => ({ args: [darker(), '--manifest', manifest({ licence: undefined })] }), 2, /licence/],
    [
      'a range of uint8 other than 0 to 255',
      () => ({ args: [darker(), '--manifest', manifest({ input: { ...UNIT, type: 'uint8' } })] }),
      2,
      /input\.range: expected \[0, 255\] for uint8/,
    ],
    [
      'a halo that leaves nothing',
      () => ({ args: [darker(), '--manifest', manifest({ tile: { multiple: 8, halo: 128, max: 256 } })] }),
      2,
      /tile\.halo: expected at most 124/,
    ],
  ];
  test.each(cases)('%s', async (_, make, status, reason) => {
    const { args, environment = {} } = make();
    const ended = await run(['models', 'add', ...args], environment);
    expect(ended.stderr).toMatch(reason);
    expect(ended.status).toBe(status);
    expect(ended.stdout.length).toBe(0);
    expect(registered()).toEqual([]);
  });

  test('a name that is taken: the one that has it stays as it is', async () => {
    await json('models', 'add', darker(), '--manifest', manifest(), '--name', 'mine');
    const before = readFileSync(join(data, 'models', 'mine', 'manifest.json'), 'utf8');
    const { status, stderr } = await run([
      'models',
      'add',
      put('x2.onnx', repeater(2)),
      '--preset',
      'realesrgan',
      '--scale',
      '2',
      '--name',
      'mine',
    ]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/there is an imported model mine already; remove it first/);
    expect(readFileSync(join(data, 'models', 'mine', 'manifest.json'), 'utf8')).toBe(before);
  });

  test('two that add the same name at once: one wins whole, the other is told', async () => {
    const args = ['models', 'add', darker(), '--manifest', manifest(), '--name', 'mine'];
    const ended = await Promise.all([run(args), run(args)]);
    expect(ended.map((one) => one.status).sort()).toEqual([0, 2]);
    expect(registered()).toEqual(['mine']);
    expect(await json('models', 'verify')).toContainEqual({ name: 'mine', ok: true });
  });

  test('interrupted: exit 130, nothing registered', async () => {
    const running = start(['models', 'add', put('face.onnx', faceNetwork()), '--preset', 'gfpgan', '--data', data]);
    while (!registered().some((name) => name.startsWith('.adding-'))) await new Promise((resolve) => setTimeout(resolve, 5));
    running.process.kill('SIGINT');
    expect((await running.ended).status).toBe(130);
    expect(registered()).toEqual([]);
  });
});

describe('remove', () => {
  test.each([
    ['a shipped model', 'general', /is part of Mingxi and stays/],
    ['an unknown one', 'nonesuch', /is not among the imported models/],
    ['a path', '../objects', /is not among the imported models/],
  ])('%s is exit 2', async (_, name, reason) => {
    mkdirSync(join(data, 'objects'));
    mkdirSync(join(data, 'models'));
    const { status, stderr } = await run(['models', 'remove', name]);
    expect(status).toBe(2);
    expect(stderr).toMatch(reason);
    expect(existsSync(join(data, 'objects'))).toBe(true);
  });

  test('takes a damaged one away too', async () => {
    mkdirSync(join(data, 'models', 'broken'), { recursive: true });
    writeFileSync(join(data, 'models', 'broken', 'manifest.json'), '{');
    expect(await json('models', 'remove', 'broken')).toEqual({ removed: 'broken' });
    expect(registered()).toEqual([]);
  });
});

describe('another provider', () => {
  const restore = async (provider: string) => {
    const source = put(
      'flat.png',
      await sharp({ create: { width: 64, height: 64, channels: 3, background: '#646464' } })
        .png()
        .toBuffer(),
    );
    return mingxi(['restore', source, '-o', join(data, 'out.png')], { environment: { MINGXI_DATA: data, MINGXI_PROVIDER: provider } });
  };

  test.runIf(process.platform === 'linux')('one that this platform has not: exit 1 with what there is, and no result', async () => {
    const { status, stderr } = await restore('coreml');
    expect(status).toBe(1);
    expect(stderr).toMatch(/provider coreml does not exist in this build of ONNX Runtime \(linux-\w+\); there are: cpu/);
    expect(existsSync(join(data, 'out.png'))).toBe(false);
  });
});
