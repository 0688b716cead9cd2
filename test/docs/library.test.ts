import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { codeBlocks } from './code-blocks.ts';
import { runProgram } from './program.ts';

const blocks = [...codeBlocks('guide/library.md', 'ts'), ...codeBlocks('../README.md', 'ts'), ...codeBlocks('../README.zh-CN.md', 'ts')];
/** What each example prints, in the page's order. */
const PRINTS = [
  /200 × 150, (copy|soften|restore)/,
  /^true true$/m,
  /^webp true 0\.7$/m,
  /^AbortError$/m,
  /^IMAGE_DECODE_FORMAT_ERROR 23102 false$/m,
  /^3$/m,
  /^(copy|restore)$/m,
  /^(copy|restore)$/m,
];

test('every example of the pages is known here', () => {
  expect(blocks).toHaveLength(PRINTS.length);
});

test.each(blocks.map(({ name, code }, i) => [name, code, PRINTS[i] ?? /^$/] as const))(
  '%s runs, ends by itself and prints what it says',
  async (_name, code, prints) => {
    const { status, output, folder } = await runProgram(code);
    expect(output).toMatch(prints);
    expect(status, output).toBe(0);
    if (code.includes('restored.jpg'))
      expect(await sharp(join(folder, 'restored.jpg')).metadata()).toMatchObject({ format: 'jpeg', width: 200 });
  },
);
