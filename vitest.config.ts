import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Whole clusters whose parts fail: minutes, several servers and root; `./mingxi test --cluster [--short]` runs them.
    exclude: ['1', 'short'].includes(process.env.MINGXI_TEST_CLUSTER ?? '') ? [] : ['test/cluster/**'],
    globalSetup: ['test/build.ts', 'test/build-page.ts'],
    // Two cores, and most tests start child processes that compute: more files at once only wait.
    maxWorkers: 2,
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
