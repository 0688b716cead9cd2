import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const DOCS = join(import.meta.dirname, '..', '..', 'docs');

/** Relative links of the documentation whose file does not exist, as "page: link". */
export function deadLinks(): string[] {
  const pages = readdirSync(DOCS, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.md'));
  return pages.flatMap((page) => {
    const text = readFileSync(join(DOCS, page), 'utf8');
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '').filter((link) => !/^(https?:|#)/.test(link));
    return links.filter((link) => !existsSync(join(DOCS, dirname(page), link.split('#')[0] ?? ''))).map((link) => `${page}: ${link}`);
  });
}
