import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../support/until.ts';
import { MAIN, mingxi, start } from './cli.ts';
import { jpeg, png, put } from './pictures.ts';

const root = mkdtempSync(join(tmpdir(), 'mingxi-restore-'));
afterAll(() => rmSync(root, { recursive: true }));

let here = '';
let count = 0;
beforeEach(() => {
  here = join(root, String(count++));
});

/** Every file below the test's folder, sorted, without the folders. */
function files(): string[] {
  return readdirSync(here, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(here.length + 1))
    .sort();
}

const at = (name: string) => join(here, name);

describe('one picture', () => {
  test('to a file: same size, really changed, nothing on stdout or stderr, nothing left beside it', async () => {
    const source = await jpeg(130, 70);
    put(at('a.jpg'), source);
    const { status, stdout, stderr } = await mingxi(['restore', at('a.jpg'), '-o', at('out.jpg')]);
    expect({ status, stdout: stdout.toString(), stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
    const metadata = await sharp(at('out.jpg')).metadata();
    expect([metadata.format, metadata.width, metadata.height]).toEqual(['jpeg', 130, 70]);
    expect(readFileSync(at('out.jpg')).equals(source)).toBe(false);
    expect(readFileSync(at('a.jpg')).equals(source)).toBe(true);
    expect(files()).toEqual(['a.jpg', 'out.jpg']);
  });

  test.each([
    ['out.png', 'png'],
    ['out.webp', 'webp'],
    ['out.JPEG', 'jpeg'],
  ])('the ending of OUT decides: %s', async (name, format) => {
    put(at('a.jpg'), await jpeg());
    expect((await mingxi(['restore', at('a.jpg'), '-o', at(name)])).status).toBe(0);
    expect((await sharp(at(name)).metadata()).format).toBe(format);
  });

  test('into a folder that is made for it, under its own name and format', async () => {
    put(at('a.png'), await png());
    expect((await mingxi(['restore', at('a.png'), '-o', at('out/')])).status).toBe(0);
    expect(files()).toEqual(['a.png', 'out/a.png']);
  });

  test('a wrong ending of the source is corrected in the result', async () => {
    put(at('really-a-png.jpg'), await png());
    expect((await mingxi(['restore', at('really-a-png.jpg'), '-o', at('out')])).status).toBe(0);
    expect(files()).toEqual(['out/really-a-png.png', 'really-a-png.jpg']);
  });

  test('from stdin to stdout, as a pipe', async () => {
    const { status, stdout, stderr } = await mingxi(['restore', '-', '-o', '-'], { stdin: await jpeg(100, 60) });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const metadata = await sharp(stdout).metadata();
    expect([metadata.format, metadata.width, metadata.height]).toEqual(['jpeg', 100, 60]);
  });

  test('--format png to stdout', async () => {
    const { stdout } = await mingxi(['restore', '-', '-o', '-', '--format', 'png'], { stdin: await jpeg() });
    expect((await sharp(stdout).metadata()).format).toBe('png');
  });

  test('strength 0 gives the source back, strength 1 does not', async () => {
    put(at('a.png'), await jpeg(96, 72, 15));
    for (const strength of ['0', '1']) await mingxi(['restore', at('a.png'), '-o', at(`${strength}.png`), '--strength', strength]);
    const pixels = (name: string) => sharp(at(name)).raw().toBuffer();
    const source = await pixels('a.png');
    expect((await pixels('0.png')).equals(source)).toBe(true);
    expect((await pixels('1.png')).equals(source)).toBe(false);
  });

  test('the report tells what was found and done', async () => {
    put(at('a.jpg'), await jpeg(130, 70, 20));
    await mingxi(['restore', at('a.jpg'), '-o', at('b.jpg'), '--report', at('report.json')]);
    const report = JSON.parse(readFileSync(at('report.json'), 'utf8'));
    expect(report).toMatchObject({
      input: at('a.jpg'),
      output: at('b.jpg'),
      source: { width: 130, height: 70, format: 'jpg', orientation: 1, alpha: false, grey: false, bits: 8 },
      analysis: { jpegQuality: 20, clean: false },
      gate: { action: 'restore' },
      strength: 1,
      faces: [],
    });
    expect(report.timings.restore).toBeGreaterThan(0);
  });
});

describe('many pictures', () => {
  test('a folder: its own pictures only; with --recursive all, in the same structure', async () => {
    put(at('in/a.jpg'), await jpeg());
    put(at('in/sub/deep/b.PNG'), await png());
    put(at('in/notes.txt'), 'not a picture');
    expect((await mingxi(['restore', at('in'), '-o', at('flat')])).status).toBe(0);
    expect((await mingxi(['restore', at('in'), '-o', at('all'), '-r'])).status).toBe(0);
    expect(files().filter((name) => !name.startsWith('in/'))).toEqual(['all/a.jpg', 'all/sub/deep/b.PNG', 'flat/a.jpg']);
  });

  test('several folders keep their names; the report is an array in order of input', async () => {
    put(at('one/a.jpg'), await jpeg());
    put(at('two/a.jpg'), await jpeg(96, 72, 30, 2));
    const { status } = await mingxi(['restore', at('one'), at('two'), '-o', at('out'), '--report', at('r.json'), '--jobs', '2']);
    expect(status).toBe(0);
    expect(files().filter((name) => name.startsWith('out/'))).toEqual(['out/one/a.jpg', 'out/two/a.jpg']);
    const report = JSON.parse(readFileSync(at('r.json'), 'utf8'));
    expect(report.map((entry: { input: string }) => entry.input)).toEqual([at('one/a.jpg'), at('two/a.jpg')]);
  });

  test('a glob the shell did not expand', async () => {
    for (const name of ['a.jpg', 'b.jpg', 'c.png', 'sub/d.jpg']) put(at(`in/${name}`), name.endsWith('png') ? await png() : await jpeg());
    await mingxi(['restore', at('in/*.jpg'), '-o', at('flat')]);
    await mingxi(['restore', at('in/**/*.{jpg,png}'), '-o', at('deep')]);
    expect(files().filter((name) => !name.startsWith('in/'))).toEqual([
      'deep/a.jpg',
      'deep/b.jpg',
      'deep/c.png',
      'deep/sub/d.jpg',
      'flat/a.jpg',
      'flat/b.jpg',
    ]);
  });

  test('a bad file is reported and the rest go on; exit 1', async () => {
    put(at('in/a.jpg'), await jpeg());
    put(at('in/broken.jpg'), (await jpeg()).subarray(0, 90));
    put(at('in/text.png'), 'this is text');
    const { status, stderr } = await mingxi(['restore', at('in'), at('gone.jpg'), '-o', at('out'), '--report', at('r.json')]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/gone\.jpg: no such file/);
    expect(stderr).toMatch(/broken\.jpg: .*\(23101 IMAGE_DECODE_ERROR\)/);
    expect(stderr).toMatch(/text\.png: .*\(23102 IMAGE_DECODE_FORMAT_ERROR\)/);
    expect(files().filter((name) => name.startsWith('out/'))).toEqual(['out/in/a.jpg']);
    const report = JSON.parse(readFileSync(at('r.json'), 'utf8'));
    expect(report.map((entry: { error?: { code: number } }) => entry.error?.code ?? 'fine')).toEqual(['fine', 23101, 23102]);
  });

  test('an output folder inside the input folder is no input', async () => {
    put(at('in/a.jpg'), await jpeg());
    put(at('in/out/earlier.jpg'), await jpeg());
    await mingxi(['restore', at('in'), '-r', '-o', at('in/out')]);
    expect(files()).toEqual(['in/a.jpg', 'in/out/a.jpg', 'in/out/earlier.jpg']);
  });

  test('results that would share a name: the second is refused, the first stays', async () => {
    put(at('in/a.jpg'), await jpeg());
    put(at('in/a.png'), await png());
    const { status, stderr } = await mingxi(['restore', at('in'), '-o', at('out'), '--format', 'webp', '--jobs', '1']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/in\/a\.png: its result .*a\.webp is already the result of .*in\/a\.jpg/);
    expect(files().filter((name) => name.startsWith('out/'))).toEqual(['out/a.webp']);
  });
});

describe('sources are never lost', () => {
  test.each([
    ['the file itself', 'a.jpg', 'a.jpg'],
    ['its folder', 'a.jpg', '.'],
    ['a link to it', 'a.jpg', 'link.jpg'],
  ])('OUT is %s: refused, untouched; --force does it', async (_, input, out) => {
    const source = await jpeg();
    put(at(input), source);
    symlinkSync('a.jpg', at('link.jpg'));
    const refused = await mingxi(['restore', at(input), '-o', at(out)]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/would replace the source .*--force/);
    expect(readFileSync(at(input)).equals(source)).toBe(true);
    expect((await mingxi(['restore', at(input), '-o', at(out), '--force'])).status).toBe(0);
    expect(readFileSync(at(input)).equals(source)).toBe(false);
    expect(files()).toEqual(['a.jpg', 'link.jpg']);
  });

  test("one picture's result does not replace another source", async () => {
    const other = await png();
    put(at('a.jpg'), await jpeg());
    put(at('a.png'), other);
    const { status } = await mingxi(['restore', at('a.jpg'), at('a.png'), '-o', here, '--format', 'png']);
    expect(status).toBe(1);
    expect(readFileSync(at('a.png')).equals(other)).toBe(true);
  });

  test('Ctrl-C: exit 130, no half-written file, no child left', async () => {
    for (let i = 0; i < 12; i++) put(at(`in/${i}.jpg`), await jpeg(900, 700, 30, i));
    const run = start(['restore', at('in'), '-o', at('out'), '--jobs', '2']);
    await until(() => existsSync(at('out/0.jpg')) || existsSync(at('out/1.jpg')));
    const children = childrenOf(run.process.pid ?? 0);
    expect(children.length).toBeGreaterThan(0);
    run.process.kill('SIGINT');
    const { status, stderr } = await run.ended;
    expect({ status, stderr }).toEqual({ status: 130, stderr: '' });
    await until(() => children.every((pid) => !existsSync(`/proc/${pid}/cmdline`)));
    const left = files().filter((name) => name.startsWith('out/'));
    expect(left.every((name) => /^out\/\d+\.jpg$/.test(name))).toBe(true);
    for (const name of left) await expect(sharp(at(name)).stats()).resolves.toBeDefined();
  });
});

describe.skipIf(!existsSync('/usr/bin/script'))('on a terminal', () => {
  /** Runs the command on a pseudo-terminal; what it would have shown. */
  const onTerminal = (args: readonly string[]) => {
    const command = [process.execPath, MAIN, ...args].map((word) => `'${word}'`).join(' ');
    const { status, stdout } = spawnSync('script', ['-qec', command, '/dev/null'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    return { status, shown: stdout };
  };

  test('progress with the time left is drawn, and taken away at the end', async () => {
    for (let i = 0; i < 3; i++) put(at(`in/${i}.jpg`), await jpeg(700, 500, 30, i));
    const { status, shown } = onTerminal(['restore', at('in'), '-o', at('out')]);
    expect(status).toBe(0);
    expect(shown).toMatch(/\[[0-2]\/3\] +\d+ %/);
    expect(shown).toMatch(/ETA \d+:\d\d/);
    expect(shown.endsWith('\r\x1b[K')).toBe(true);
  });

  test('a picture is not poured onto it', async () => {
    put(at('a.jpg'), await jpeg());
    const { status, shown } = onTerminal(['restore', at('a.jpg'), '-o', '-']);
    expect(status).toBe(2);
    expect(shown).toMatch(/would write a picture to the terminal/);
  });
});

describe('wrong use is exit 2, with a sentence', () => {
  test.each([
    [['restore', '-o', 'b.jpg'], /missing required argument/],
    [['restore', 'a.jpg'], /required option '-o, --output/],
    [['restore', 'a.jpg', '-o', 'b.jpg', '--strength', '2'], /strength.*Expected a number from 0 to 1/s],
    [['restore', 'a.jpg', '-o', 'b.jpg', '--quality', 'good'], /quality.*whole number from 1 to 100/s],
    [['restore', 'a.jpg', '-o', 'b.jpg', '--face', 'maybe'], /Allowed choices are auto, off, only/],
    [['restore', 'a.jpg', '-o', 'b.jpg', '--scale', '3'], /Allowed choices are 1, 2, 4/],
    [['restore', 'a.jpg', '-o', 'b.jpg', '--model', 'nonsense'], /no model "nonsense"; there are: auto, general/],
    [['restore', 'a.jpg', '-o', 'b.gif'], /results are jpg, png or webp, not \.gif/],
    [['restore', 'a.jpg', '-o', 'b.jpg', '--format', 'png'], /disagree/],
    [['restore', 'a.jpg', 'b.jpg', '-o', 'c.jpg'], /several pictures need a folder/],
    [['restore', 'a.jpg', 'b.jpg', '-o', '-'], /-o - takes one picture/],
    [['restore', 'a.jpg', '-o', 'b.jpg', '--jobs', '0'], /whole number from 1/],
    [['restore', 'a.jpg', '-o', 'b.jpg', '--report', 'no/where.json'], /--report no\/where\.json: there is no folder no/],
    [['restore', 'a.jpg', '-o', 'b.jpg', '--nonsense'], /unknown option/],
    [['nonsense'], /unknown command/],
  ])('%j', async (args, message) => {
    const { status, stderr, stdout } = await mingxi(args, { cwd: root });
    expect(stderr).toMatch(message);
    expect({ status, stdout: stdout.toString() }).toEqual({ status: 2, stdout: '' });
  });

  test('a wrong variable of the environment', async () => {
    const { status, stderr } = await mingxi(['restore', 'a.jpg', '-o', 'b.jpg'], { environment: { MINGXI_WORKERS: 'many' } });
    expect(status).toBe(2);
    expect(stderr).toMatch(/MINGXI_WORKERS: expected a whole number from 1 to 64, received "many"/);
  });

  test('too many pixels: refused by the header, exit 1', async () => {
    put(at('a.png'), await png(300, 200));
    const environment = { MINGXI_V2_MAX_PIXELS: '50000' };
    const { status, stderr } = await mingxi(['restore', at('a.png'), '-o', at('b.png')], { environment });
    expect(status).toBe(1);
    expect(stderr).toMatch(/20013 RESOLUTION_TOO_LARGE_ERROR/);
  });
});

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}
