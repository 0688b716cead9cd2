import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The numbers that a Python file assigns to names in capitals, one or several to a line. */
export function trainingConstants(file: string): Record<string, number> {
  const text = readFileSync(join(import.meta.dirname, '..', '..', file), 'utf8');
  const found: Record<string, number> = {};
  for (const [, names = '', values = ''] of text.matchAll(/^([A-Z_]+(?:, [A-Z_]+)*) = ([-\d., ]+)(?:\s+#.*)?$/gm)) {
    const numbers = values.split(',').map(Number);
    for (const [i, name] of names.split(', ').entries()) found[name] = numbers[i] as number;
  }
  return found;
}
