import { describe, expect, test } from 'vitest';
import { globPattern, hasGlob, splitGlob } from '../../src/cli/restore/glob.ts';

describe('globs', () => {
  test.each([
    ['*.jpg', ['a.jpg', 'ä ö.jpg'], ['a.png', 'sub/a.jpg', 'a.jpg.txt']],
    ['**/*.jpg', ['a.jpg', 'x/a.jpg', 'x/y/a.jpg'], ['a.png']],
    ['x/**', ['x/a.jpg', 'x/y/a.jpg'], ['y/a.jpg']],
    ['?.png', ['a.png'], ['ab.png', '/.png']],
    ['[a-c]1.png', ['a1.png', 'c1.png'], ['d1.png', 'A1.png']],
    ['[!a]1.png', ['b1.png'], ['a1.png']],
    ['a.{jpg,png}', ['a.jpg', 'a.png'], ['a.gif', 'a.jpg,png']],
    ['a+(1).jpg', ['a+(1).jpg'], ['aa(1).jpg', 'a1.jpg']],
    ['[.jpg', ['[.jpg'], ['x.jpg']],
  ])('%s', (glob, matching, others) => {
    const pattern = globPattern(glob);
    for (const name of matching) expect(name).toMatch(pattern);
    for (const name of others) expect(name).not.toMatch(pattern);
  });

  test('are split at their first wildcard', () => {
    expect(splitGlob('photos/2024/*.jpg')).toEqual({ base: 'photos/2024', rest: '*.jpg' });
    expect(splitGlob('/*/a.jpg')).toEqual({ base: '/', rest: '*/a.jpg' });
    expect(splitGlob('*.jpg')).toEqual({ base: '.', rest: '*.jpg' });
    expect(hasGlob('plain name (1).jpg')).toBe(false);
  });
});
