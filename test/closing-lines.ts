/**
 * The last lines of a run, for those who see only its end: every test that failed or passed at its second try with
 * the first line of its error, every file that could not run, and how many of each. With `MINGXI_TEST_CLOSING` they
 * are appended to that file too, so that `.ci/run` can repeat those of all its runs when everything else is printed.
 */
import { appendFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';

/** Vitest's reporter of the closing lines; to be named after the default one. */
export class ClosingLines implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly { message?: string }[]): void {
    const lines: string[] = [];
    const count = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      const file = relative(process.cwd(), module.moduleId);
      for (const error of module.errors()) lines.push(`failed: ${file}: ${firstLine(error.message)}`);
      for (const suite of module.children.allSuites()) {
        for (const error of suite.errors()) lines.push(`failed: ${file} > ${suite.fullName}: ${firstLine(error.message)}`);
      }
      for (const test of module.children.allTests()) {
        const { state, errors = [] } = test.result();
        if (state !== 'pending') count[state]++;
        const verdict = state === 'failed' ? 'failed' : test.diagnostic()?.flaky ? 'passed at the second try' : '';
        if (verdict) lines.push(`${verdict}: ${file} > ${test.fullName}: ${firstLine(errors[0]?.message)}`);
      }
    }
    for (const error of unhandled) lines.push(`failed: outside any test: ${firstLine(error.message)}`);
    lines.push(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
    const text = `${lines.join('\n')}\n`;
    process.stdout.write(`\n${text}`);
    if (process.env.MINGXI_TEST_CLOSING) appendFileSync(process.env.MINGXI_TEST_CLOSING, text);
  }
}

function firstLine(message: string | undefined): string {
  return (message ?? 'no message').trim().split('\n', 3).join(' | ').slice(0, 400);
}
