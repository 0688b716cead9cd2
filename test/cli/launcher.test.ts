import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../support/until.ts';
import { put } from './pictures.ts';

/** The real launcher in a small checkout, with an npm that writes down what it was asked to do. */
const LAUNCHER = fileURLToPath(new URL('../../mingxi', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'mingxi-launcher-'));
afterAll(() => rmSync(root, { recursive: true }));

const NPM = `#!/usr/bin/env bash
echo "$* skip=$ONNXRUNTIME_NODE_INSTALL faults=$MINGXI_TEST_CLUSTER" >>"$CALLS"
sleep "\${NPM_SLEEP:-0}"
case "$*" in
  ci*) mkdir -p node_modules ;;
  *build) if [ -f src/broken ]; then echo "src/broken: no"; exit 1; fi
    mkdir -p dist/cli; cp src/main.js dist/cli/main.js ;;
  *unit) exit "\${UNIT_STATUS:-0}" ;;
  *cluster) exit "\${CLUSTER_STATUS:-0}" ;;
esac
`;

let checkout = '';
let count = 0;
beforeEach(() => {
  checkout = join(root, String(count++), 'with space');
  put(join(checkout, 'src/main.js'), 'console.log(JSON.stringify(process.argv.slice(2))); process.exit(Number(process.env.STATUS ?? 0));');
  put(join(checkout, 'package.json'), '{"type":"module"}');
  put(join(checkout, 'package-lock.json'), '{}');
  put(join(checkout, 'bin/npm'), NPM);
  chmodSync(join(checkout, 'bin/npm'), 0o755);
  copyFileSync(LAUNCHER, join(checkout, 'mingxi'));
});

function environment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const path = `${join(checkout, 'bin')}:${process.env.PATH}`;
  return { PATH: path, HOME: process.env.HOME, CALLS: join(checkout, 'calls'), ...more };
}

function launch(args: readonly string[], more: Readonly<Record<string, string>> = {}, script = join(checkout, 'mingxi')) {
  const { status, stdout, stderr } = spawnSync(script, args, { cwd: tmpdir(), env: environment(more), encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** What npm was asked since the last look, in short. */
function calls(): string[] {
  const file = join(checkout, 'calls');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  rmSync(file, { force: true });
  return lines.map((line) => line.split(' ').find((word) => ['ci', 'build', 'lint', 'types', 'unit', 'cluster'].includes(word)) ?? line);
}

describe('set-up', () => {
  test('the first run installs and builds, without the install script; the second does neither', () => {
    const first = launch(['restore', 'a b', '--x']);
    expect(first).toMatchObject({ status: 0, stdout: '["restore","a b","--x"]\n' });
    expect(readFileSync(join(checkout, 'calls'), 'utf8')).toMatch(/^ci .* skip=skip faults=\n/);
    expect(calls()).toEqual(['ci', 'build']);
    expect(launch(['again'])).toEqual({ status: 0, stdout: '["again"]\n', stderr: '' });
    expect(calls()).toEqual([]);
  });

  test('a changed, a new and a removed source build; a changed lock file installs; a new date does nothing', () => {
    launch([]);
    calls();
    const askedAfter = (change: () => void) => {
      change();
      expect(launch([]).status).toBe(0);
      return calls();
    };
    expect(askedAfter(() => appendFileSync(join(checkout, 'src/main.js'), '\n'))).toEqual(['build']);
    expect(askedAfter(() => put(join(checkout, 'src/more.js'), ''))).toEqual(['build']);
    expect(askedAfter(() => rmSync(join(checkout, 'src/more.js')))).toEqual(['build']);
    expect(askedAfter(() => put(join(checkout, 'package-lock.json'), '{"changed":true}'))).toEqual(['ci']);
    expect(askedAfter(() => rmSync(join(checkout, 'dist'), { recursive: true }))).toEqual(['build']);
    expect(askedAfter(() => utimesSync(join(checkout, 'src/main.js'), 2e9, 2e9))).toEqual([]);
  });

  test('two launchers at once set up once', async () => {
    const env = environment({ NPM_SLEEP: '0.5' });
    const both = [1, 2].map(() => spawn(join(checkout, 'mingxi'), ['x'], { env, stdio: 'ignore' }));
    const statuses = await Promise.all(both.map((child) => new Promise((resolve) => child.once('exit', resolve))));
    expect(statuses).toEqual([0, 0]);
    expect(calls()).toEqual(['ci', 'build']);
    expect(existsSync(join(checkout, '.mingxi/lock'))).toBe(false);
  });

  test('a lock left behind by a killed launcher is taken over', () => {
    put(join(checkout, '.mingxi/lock/pid'), '999999999');
    expect(launch(['x']).status).toBe(0);
    expect(calls()).toEqual(['ci', 'build']);
  });

  test('a failing build shows its own words, is exit 1, and is tried again next time', () => {
    put(join(checkout, 'src/broken'), '');
    const { status, stderr, stdout } = launch(['x']);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/src\/broken: no\nmingxi: the build failed/);
    rmSync(join(checkout, 'src/broken'));
    calls();
    expect(launch(['x']).status).toBe(0);
    expect(calls()).toEqual(['build']);
  });
});

describe('the command itself', () => {
  test('its exit status is passed on', () => {
    expect(launch(['x'], { STATUS: '7' }).status).toBe(7);
  });

  test('runs through a symbolic link, from any folder', () => {
    symlinkSync(join(checkout, 'mingxi'), join(checkout, 'bin/link'));
    expect(launch(['via', 'link'], {}, join(checkout, 'bin/link')).stdout).toBe('["via","link"]\n');
  });

  test('takes the place of the launcher: signals reach it directly', async () => {
    put(
      join(checkout, 'src/main.js'),
      'process.on("SIGTERM", () => process.exit(42)); console.log(process.pid); setInterval(() => {}, 1e6);',
    );
    const child = spawn(join(checkout, 'mingxi'), ['serve'], { env: environment(), stdio: ['ignore', 'pipe', 'ignore'] });
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
    await until(() => printed.endsWith('\n'));
    expect(Number(printed)).toBe(child.pid);
    child.kill('SIGTERM');
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(42);
  });
});

describe('Node.js', () => {
  test('too old: says which is needed and which is there', () => {
    put(join(checkout, 'bin/node'), '#!/bin/sh\necho v18.20.4\n');
    chmodSync(join(checkout, 'bin/node'), 0o755);
    const { status, stderr } = launch(['x']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^mingxi: Node\.js 20\.19 or newer is needed; this is v18\.20\.4 \(.*\/bin\/node\)\.\n$/);
  });

  test('absent: says so', () => {
    const tools = join(checkout, 'tools');
    for (const tool of ['bash', 'env', 'dirname', 'readlink']) {
      put(join(tools, tool), '');
      rmSync(join(tools, tool));
      symlinkSync(spawnSync('which', [tool], { encoding: 'utf8' }).stdout.trim(), join(tools, tool));
    }
    const { status, stderr } = launch(['x'], { PATH: tools });
    expect(status).toBe(1);
    expect(stderr).toMatch(/Node\.js 20\.19 or newer is needed and was not found/);
  });
});

describe('test', () => {
  // An apt-get that does nothing, for machines without a browser.
  const quiet = () => {
    put(join(checkout, 'bin/apt-get'), '#!/bin/sh\n');
    chmodSync(join(checkout, 'bin/apt-get'), 0o755);
  };

  test('runs lint, types and tests after the set-up; 0 when all pass', () => {
    quiet();
    expect(launch(['test']).status).toBe(0);
    expect(calls()).toEqual(['ci', 'build', 'lint', 'types', 'unit']);
  });

  test('a failing part is exit 1 and named', () => {
    quiet();
    const { status, stderr } = launch(['test'], { UNIT_STATUS: '1' });
    expect(status).toBe(1);
    expect(stderr).toMatch(/mingxi: failed: tests\n$/);
  });

  test('without --cluster one line says what is left out', () => {
    quiet();
    expect(launch(['test']).stderr).toMatch(/^mingxi: skipped: the cluster tests \(.*\); \.\/mingxi test --cluster runs them$/m);
  });

  test('with --cluster: servers that are missing are installed, then the cluster tests run last', () => {
    quiet();
    // A system that knows no package, so that all are missing, and an apt-get that writes down what it was asked.
    put(join(checkout, 'bin/dpkg-query'), '#!/bin/sh\nexit 1\n');
    put(join(checkout, 'bin/id'), '#!/bin/sh\necho 0\n');
    put(
      join(checkout, 'bin/apt-get'),
      `#!/bin/sh\necho "runlevel $RUNLEVEL, services $("$POLICY_RC_D"; echo $?): $*" >>"${join(checkout, 'apt')}"\n`,
    );
    for (const name of ['dpkg-query', 'id', 'apt-get']) chmodSync(join(checkout, 'bin', name), 0o755);
    const policy = join(checkout, 'policy');
    const { status, stderr } = launch(['test', '--cluster'], { POLICY_RC_D: policy });
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.not.stringContaining('skipped') });
    expect(calls()).toEqual(['ci', 'build', 'lint', 'types', 'unit', 'cluster']);
    const asked = readFileSync(join(checkout, 'apt'), 'utf8');
    for (const name of ['redis-server', 'postgresql', 'swift-proxy', 'memcached'])
      expect(asked).toMatch(new RegExp(`^runlevel 1, services 101: .* install .* ${name}\\b`, 'm'));
    // Services may start again.
    expect(existsSync(policy)).toBe(false);
  });

  test('with --cluster: servers that are there are not asked for again; a failure is named', () => {
    quiet();
    put(join(checkout, 'bin/dpkg-query'), '#!/bin/sh\nprintf "install ok installed"\n');
    put(join(checkout, 'bin/apt-get'), `#!/bin/sh\ncase "$*" in *redis*) touch "${join(checkout, 'apt')}" ;; esac\n`);
    for (const name of ['dpkg-query', 'apt-get']) chmodSync(join(checkout, 'bin', name), 0o755);
    const { status, stderr } = launch(['test', '--cluster'], { CLUSTER_STATUS: '1' });
    expect(status).toBe(1);
    expect(stderr).toMatch(/mingxi: failed: cluster tests\n$/);
    expect(existsSync(join(checkout, 'apt'))).toBe(false);
  });

  test('with --cluster --short: the cluster tests are told; --short alone is refused', () => {
    quiet();
    put(join(checkout, 'bin/dpkg-query'), '#!/bin/sh\nprintf "install ok installed"\n');
    chmodSync(join(checkout, 'bin/dpkg-query'), 0o755);
    expect(launch(['test', '--cluster', '--short']).status).toBe(0);
    expect(readFileSync(join(checkout, 'calls'), 'utf8')).toMatch(/ cluster skip= faults=short$/m);
    calls();
    expect(launch(['test', '--short'])).toMatchObject({ status: 2, stderr: expect.stringContaining('--short is about --cluster') });
    expect(calls()).toEqual([]);
  });

  test('with --cluster, without the rights to install them: says what is needed', () => {
    quiet();
    put(join(checkout, 'bin/dpkg-query'), '#!/bin/sh\nexit 1\n');
    put(join(checkout, 'bin/id'), '#!/bin/sh\necho 1000\n');
    for (const name of ['dpkg-query', 'id']) chmodSync(join(checkout, 'bin', name), 0o755);
    const { status, stderr } = launch(['test', '--cluster']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/mingxi: test --cluster needs servers; as root on Debian: apt-get install redis-server postgresql/);
  });

  test('an unknown option is exit 2', () => {
    expect(launch(['test', '--everything'])).toMatchObject({
      status: 2,
      stderr: 'mingxi: unknown option of test: --everything (there are --cluster and --short)\n',
    });
  });
});
