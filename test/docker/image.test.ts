import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { httpServer } from '../support/http-server.ts';
import { temporaryFolder } from '../support/temporary.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** The instructions of a Dockerfile: comments gone, continued lines joined. */
function instructions(text: string): Instruction[] {
  const lines = text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  return lines.map((line) => ({ name: line.split(' ', 1)[0] ?? '', rest: line.slice(line.indexOf(' ') + 1).trim() }));
}

describe('Dockerfile', () => {
  const all = instructions(read('docker/Dockerfile'));
  const last = all.slice(all.findLastIndex(({ name }) => name === 'FROM'));
  const allowed = new Set(
    read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1)),
  );
  const isSent = (path: string) => [...allowed].some((one) => path === one || path.startsWith(`${one}/`));

  test('has only instructions that exist', () => {
    const known = [
      'ARG',
      'FROM',
      'WORKDIR',
      'ENV',
      'COPY',
      'RUN',
      'LABEL',
      'USER',
      'VOLUME',
      'EXPOSE',
      'STOPSIGNAL',
      'HEALTHCHECK',
      'ENTRYPOINT',
      'CMD',
    ];
    for (const { name } of all) expect(known).toContain(name);
  });

  test('copies what exists and is sent to the builder', () => {
    const sources = all
      .filter(({ name, rest }) => name === 'COPY' && !rest.startsWith('--from='))
      .flatMap(({ rest }) => rest.split(' ').slice(0, -1));
    expect(sources).toContain('models');
    for (const source of sources) expect([source, existsSync(join(ROOT, source)), isSent(source)]).toEqual([source, true, true]);
    const stages = new Set(all.filter(({ name }) => name === 'FROM').map(({ rest }) => / AS (\w+)$/.exec(rest)?.[1]));
    for (const { rest } of all.filter(({ rest }) => rest.startsWith('--from='))) expect(stages).toContain(/^--from=(\w+)/.exec(rest)?.[1]);
  });

  test('.dockerignore sends what the Dockerfile needs, and no data, keys or history', () => {
    expect(
      read('.dockerignore')
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))[0],
    ).toBe('*');
    for (const path of ['data', '.git', 'node_modules', '.env', 'training', 'test']) expect(isSent(path)).toBe(false);
    for (const path of allowed) expect(existsSync(join(ROOT, path))).toBe(true);
  });

  test('runs as a numbered user, writes to the volume, is checked, and starts the program itself', () => {
    expect(last.find(({ name }) => name === 'USER')?.rest).toBe('10001:10001');
    expect(last.find(({ name }) => name === 'VOLUME')?.rest).toBe('/data');
    expect(last.findIndex(({ name }) => name === 'USER')).toBeGreaterThan(last.findLastIndex(({ name }) => name === 'RUN'));
    // The exec form: a shell as process 1 would keep SIGTERM to itself.
    for (const kind of ['ENTRYPOINT', 'CMD']) expect(JSON.parse(last.find(({ name }) => name === kind)?.rest ?? '')).toBeInstanceOf(Array);
    expect(last.find(({ name }) => name === 'HEALTHCHECK')?.rest).toContain('CMD ["node", "/app/docker/healthcheck.mjs"]');
    for (const label of ['title', 'licenses', 'version', 'revision']) {
      expect(last.find(({ name }) => name === 'LABEL')?.rest).toContain(`org.opencontainers.image.${label}=`);
    }
  });

  test('takes the package versions of package.json', () => {
    const { devDependencies, peerDependencies, version } = JSON.parse(read('package.json'));
    const run = all.find(({ rest }) => rest.includes('--save-prod'))?.rest ?? '';
    for (const name of Object.keys(peerDependencies)) expect(run).toContain(`${name}@${devDependencies[name]}`);
    expect(last.find(({ name, rest }) => name === 'ARG' && rest.startsWith('VERSION='))?.rest).toBe(`VERSION=${version}`);
  });
});

describe('slim.mjs', () => {
  const slim = (folder: string) =>
    execFileSync(process.execPath, [join(ROOT, 'docker/slim.mjs'), folder], { encoding: 'utf8', stdio: 'pipe' });
  const tree = (paths: readonly string[]) => {
    const folder = temporaryFolder();
    for (const path of paths) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), 'x');
    }
    return folder;
  };
  const napi = 'onnxruntime-node/bin/napi-v6';
  const own = `${napi}/${process.platform}/${process.arch}/onnxruntime_binding.node`;

  test('keeps the libraries of this platform and removes the others', () => {
    const foreign = [`${napi}/win32/x64/a.dll`, `${napi}/darwin/arm64/a.dylib`, `${napi}/${process.platform}/other/a.so`];
    const folder = tree([own, ...foreign, '@libsql/linux-x64-gnu/a.node', '@libsql/linux-x64-musl/a.node', 'sharp/a.js']);
    slim(folder);
    expect(existsSync(join(folder, own))).toBe(true);
    expect(existsSync(join(folder, 'sharp/a.js'))).toBe(true);
    for (const path of foreign) expect(existsSync(join(folder, path))).toBe(false);
    if (process.platform === 'linux')
      expect([existsSync(join(folder, '@libsql/linux-x64-gnu')), existsSync(join(folder, '@libsql/linux-x64-musl'))]).toEqual([
        true,
        false,
      ]);
  });

  test('a tree without this platform fails the build', () => {
    expect(() => slim(tree([`${napi}/sunos/sparc/a.so`]))).toThrow(/this platform cannot run/);
  });
});

describe('healthcheck.mjs', () => {
  const check = (environment: Record<string, string>) =>
    new Promise<number | null>((resolve) => {
      spawn(process.execPath, [join(ROOT, 'docker/healthcheck.mjs')], { env: environment, stdio: 'ignore' }).once('exit', resolve);
    });

  test.each([
    [200, 0],
    [503, 1],
  ])('/readyz answers %i: exit %i', async (status, code) => {
    const server = await httpServer((request, response) => response.writeHead(request.url === '/readyz' ? status : 404).end());
    onTestFinished(() => server.close());
    expect(await check({ MINGXI_PORT: String(server.port) })).toBe(code);
  });

  test.each(['api', 'worker'])('nobody listens: 1, as %s too', async (role) => {
    const server = await httpServer(() => {});
    await server.close();
    expect(await check({ MINGXI_PORT: String(server.port), MINGXI_ROLE: role })).toBe(1);
  });
});
