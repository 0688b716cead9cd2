import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Runs once before all tests: compiles `src/` into `build-test/` for the tests that start real
 * processes, which begin in a quarter of the time from JavaScript. Only what changed is compiled.
 * Type errors do not stop it: `npm run types` reports them.
 */
export default function build(): void {
  const options = ['-p', 'tsconfig.build.json', '--outDir', 'build-test', '--declaration', 'false', '--sourceMap', 'false'];
  const incremental = ['--incremental', '--tsBuildInfoFile', 'build-test/.tsbuildinfo'];
  const { error } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', ...options, ...incremental], { cwd: ROOT });
  if (error) throw error;
  // As `npm run build` does it, see src/schema.ts.
  const schema = 'build-test/schema.js';
  const bundling = ['node_modules/rolldown/bin/cli.mjs', schema, '--file', schema, '--format', 'esm', '--platform', 'node'];
  const bundled = spawnSync(process.execPath, bundling, { cwd: ROOT, encoding: 'utf8' });
  if (bundled.status !== 0) throw new Error(`the schemas' module cannot be bundled:\n${bundled.stdout}${bundled.stderr}`);
}
