import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environmentName, VARIABLES, type Variable } from '../src/config.ts';
import { ERRORS, type ErrorSpec } from '../src/errors.ts';

const ROOT = join(import.meta.dirname, '..');
const NOTE = 'Made by `npx tsx scripts/reference.ts`; do not edit.';

/** The reference pages as they should be, by path from the root of the repository. */
export function referenceFiles(): Readonly<Record<string, string>> {
  return {
    'docs/reference/configuration.md': configurationPage(),
    'docs/reference/errors.md': errorsPage(),
    '.env.example': environmentExample(),
  };
}

const variables = () => Object.entries(VARIABLES) as [string, Variable][];

function configurationPage(): string {
  return `# Variables

<!-- ${NOTE} -->

Every variable has the prefix \`MINGXI_\`. A start with wrong values lists all of them at once; \`mingxi config\` prints what is
in force. Command-line flags win over variables. Lists are separated by commas. Secrets may also be given as a file:
\`MINGXI_SERVER_KEY_FILE=/run/secrets/key\`.

| variable | default | values | meaning |
| --- | --- | --- | --- |
${variables()
  .map(([name, variable]) =>
    row([`<a id="${anchor(name)}"></a>\`${environmentName(name)}\``, shownDefault(variable), values(variable), variable.doc]),
  )
  .join('\n')}
`;
}

function errorsPage(): string {
  return `# Error codes

<!-- ${NOTE} -->

Failures of \`/v1/*\` carry \`ErrorCode\` (the number), \`ErrorMsg\` (the name), \`Data: null\`, \`message\` (one sentence: what was
wrong, the limit, what was received) and \`request_id\`. \`/v2\` uses the same codes in \`application/problem+json\`. "Retry" says
whether the very same request may succeed later; after 429 and 503 wait as long as \`Retry-After\` says. An unknown path is
answered with \`{"error_code":1000404,"message":"no route found"}\`.

| code | name | status | retry | when |
| --- | --- | --- | --- | --- |
${(Object.entries(ERRORS) as [string, ErrorSpec][])
  .map(([name, { code, status, retryable, when }]) =>
    row([`<a id="${code}"></a>${code}`, `\`${name}\``, `${status}`, retryable ? 'yes' : 'no', when]),
  )
  .join('\n')}
`;
}

function environmentExample(): string {
  const blocks = variables().map(
    ([name, variable]) =>
      `# ${variable.doc}\n# ${plain(values(variable))}; default: ${plain(shownDefault(variable))}\n#${environmentName(name)}=${example(variable)}\n`,
  );
  return `# ${NOTE}\n# Use with: node --env-file=.env, docker --env-file .env, or systemd's EnvironmentFile.\n\n${blocks.join('\n')}`;
}

/** A table row; a bar inside a cell would end it. */
const row = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
const anchor = (name: string) => environmentName(name).toLowerCase().replaceAll('_', '-');
const plain = (text: string) => text.replaceAll('`', '');

function shownDefault(variable: Variable): string {
  if (variable.defaultText) return variable.defaultText;
  const value = Array.isArray(variable.default) ? variable.default.join(',') : String(variable.default);
  return value === '' ? 'empty' : `\`${value}\``;
}

function values(variable: Variable): string {
  switch (variable.type) {
    case 'integer':
    case 'number':
      return `${variable.min} to ${variable.max}${variable.unit ? ` ${variable.unit}` : ''}`;
    case 'flag':
      return '`true` or `false`';
    case 'list':
      return 'list';
    case 'text':
      return variable.oneOf ? variable.oneOf.map((one) => `\`${one}\``).join(', ') : variable.secret ? 'secret text' : 'text';
  }
}

function example(variable: Variable): string {
  if (variable.defaultText || variable.secret) return '';
  return Array.isArray(variable.default) ? variable.default.join(',') : String(variable.default);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of Object.entries(referenceFiles())) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true });
    writeFileSync(join(ROOT, path), text);
  }
}
