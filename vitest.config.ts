import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Whole clusters whose parts fail: minutes, several servers and root; `./mingxi test --cluster` runs them.
    exclude: process.env.MINGXI_TEST_CLUSTER === '1' ? [] : ['test/cluster/**'],
    globalSetup: ['test/build.ts', 'test/build-page.ts'],
    // Two cores, and most tests start child processes that compute: more files at once only wait.
    maxWorkers: 2,
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
