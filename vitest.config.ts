import { defineConfig } from 'vitest/config';
import { ClosingLines } from './test/closing-lines.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Whole clusters whose parts fail: minutes, several servers and root; `./mingxi test --cluster [--short]` runs them.
    exclude: ['1', 'short'].includes(process.env.MINGXI_TEST_CLUSTER ?? '') ? [] : ['test/cluster/**'],
    globalSetup: ['test/build.ts', 'test/build-page.ts'],
    reporters: ['default', new ClosingLines()],
    // Where nobody looks on, a test may fail once: the closing lines name it and its error all the same.
    retry: process.env.CI ? 1 : 0,
    // Two cores, and most tests start child processes that compute: more files at once only wait.
    maxWorkers: 2,
    pool: 'forks',
    // For tests that hang: how long one may take is not what is tested, and a busy machine is ten times slower.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
