import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const DOCS = join(import.meta.dirname, '..', '..', 'docs');

export interface CodeBlock {
  /** `guide/library.md:12` */
  readonly name: string;
  readonly code: string;
  /** The words after the language, e.g. `run`. */
  readonly info: string;
}

/** The fenced blocks of one language on a page of the documentation. */
export function codeBlocks(page: string, language: string): CodeBlock[] {
  const text = readFileSync(join(DOCS, page), 'utf8');
  return [...text.matchAll(/^```(\w+)[ ]*([^\n]*)\n([\s\S]*?)^```$/gm)]
    .filter((match) => match[1] === language)
    .map((match) => ({ name: `${page}:${text.slice(0, match.index).split('\n').length}`, info: match[2] ?? '', code: match[3] ?? '' }));
}
