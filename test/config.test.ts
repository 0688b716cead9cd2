import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigError, environmentName, loadConfig, threadsPerWorker, VARIABLES } from '../src/config.ts';
import { temporaryFolder } from './support/temporary.ts';

/** The problems a start with this environment reports. */
function problems(environment: Record<string, string>, overrides = {}): readonly string[] {
  try {
    loadConfig(environment, overrides);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('configuration', () => {
  test('without anything: the documented defaults', () => {
    expect(loadConfig({})).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      data: './data',
      bodyLimit: 67_108_864,
      maxEntries: 16,
      syncTimeout: 25,
    });
  });

  test('names follow one rule', () => {
    expect(environmentName('syncTimeout')).toBe('MINGXI_SYNC_TIMEOUT');
    expect(environmentName('v2MaxPixels')).toBe('MINGXI_V2_MAX_PIXELS');
  });

  test('numbers, flags, lists and texts are read; space around them does not matter', () => {
    const config = loadConfig({
      MINGXI_PORT: ' 9000 ',
      MINGXI_TRUST_PROXY: 'Yes',
      MINGXI_METRICS: 'off',
      MINGXI_FETCH_ALLOW: 'a.lan, 10.0.0.0/8,,',
      MINGXI_LOG_LEVEL: 'warn',
    });
    expect(config).toMatchObject({ port: 9000, trustProxy: true, metrics: false, fetchAllow: ['a.lan', '10.0.0.0/8'], logLevel: 'warn' });
  });

  test('flags of the command line win, an empty variable means the default', () => {
    expect(loadConfig({ MINGXI_PORT: '9000', MINGXI_HOST: '' }, { port: 0 })).toMatchObject({ port: 0, host: '127.0.0.1' });
  });

  test('all problems are reported at once, with what was expected and received', () => {
    const found = problems({
      MINGXI_PORT: '70000',
      MINGXI_MAX_ENTRIES: '2.5',
      MINGXI_SYNC_TIMEOUT: 'soon',
      MINGXI_METRICS: 'maybe',
      MINGXI_LOG_LEVEL: 'loud',
      MINGXI_PROT: '1',
    });
    expect(found.length).toBe(6);
    expect(found.join('\n')).toMatch(/MINGXI_PORT: expected a whole number from 0 to 65535, received "70000"/);
    expect(found.join('\n')).toMatch(/MINGXI_PROT: no such variable/);
  });

  test('a secret may come from a file and is never printed', () => {
    const file = join(temporaryFolder(), 'key');
    writeFileSync(file, `${'ab'.repeat(32)}\n`);
    expect(loadConfig({ MINGXI_SERVER_KEY_FILE: file }).serverKey).toBe('ab'.repeat(32));
    expect(problems({ MINGXI_SERVER_KEY_FILE: `${file}-absent` })).toEqual(['MINGXI_SERVER_KEY_FILE: the file cannot be read']);
    expect(problems({ MINGXI_PORT_FILE: file })).toHaveLength(1);
  });

  test('every default lies within its own range', () => {
    for (const [name, variable] of Object.entries(VARIABLES)) {
      if ('min' in variable) expect(variable.default >= variable.min && variable.default <= variable.max, name).toBe(true);
      if ('oneOf' in variable && variable.oneOf) expect(variable.oneOf, name).toContain(variable.default);
    }
  });

  test('threads are shared out among the children, at least one each', () => {
    expect(threadsPerWorker({ threads: 3, workers: 2 })).toBe(3);
    expect(threadsPerWorker({ threads: 0, workers: 64 })).toBeGreaterThanOrEqual(1);
  });
});
