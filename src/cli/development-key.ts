import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { IssuedKey, KeyStore } from '../db/keys.ts';
import { EXAMPLE_JPEG } from './example-picture.ts';

/** A key for trying the service, made only where there is none at all yet. */
export async function developmentKey(keys: KeyStore): Promise<IssuedKey | undefined> {
  return (await keys.list()).length === 0 ? keys.create({ name: 'development' }) : undefined;
}

/** Prints the documented call with the key in it. It works as pasted: its body is a file made here. */
export function announce(url: string, data: string, { key, secret }: IssuedKey): void {
  const body = resolve(join(data, 'example.json'));
  const content = { media_info_list: [{ media_data: EXAMPLE_JPEG, media_profiles: { media_data_type: 'jpg' } }], parameter: {} };
  writeFileSync(body, `${JSON.stringify(content)}\n`);
  console.log(`
A development key was made; its secret is not shown again:
  api_key     ${key.id}
  api_secret  ${secret}

Try it with a small example picture:
  curl -X POST "${url}/v1/aiquality?api_key=${key.id}&api_secret=${secret}" -d @'${body}' --header "Content-Type: application/json"
`);
}
