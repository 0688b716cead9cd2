import type { LightMyRequestResponse } from 'fastify';
import { pino } from 'pino';
import { type App, type AppParts, createApp } from '../../src/app.ts';
import { type Config, loadConfig, type VariableName } from '../../src/config.ts';
import type { NewKey } from '../../src/db/keys.ts';

/** An app in a folder of its own, with one child process and one key; close it after use. */
export interface TestApp {
  readonly app: App;
  readonly config: Config;
  readonly key: string;
  readonly secret: string;
  /** `api_key=…&api_secret=…` */
  readonly query: string;
  /** POSTs a JSON body to /v1/aiquality with the key in the query. */
  post(body: unknown, headers?: Record<string, string>): Promise<LightMyRequestResponse>;
  /** Starts listening and answers the base URL. */
  listen(): Promise<string>;
  newKey(wanted?: Partial<NewKey>): Promise<{ query: string; id: string; secret: string }>;
}

/** Builds the real thing: real database, storage and child processes. */
export async function testApp(
  data: string,
  overrides: Partial<Record<VariableName, unknown>> = {},
  parts: AppParts = {},
): Promise<TestApp> {
  const config = loadConfig({}, { data, port: 0, workers: 1, threads: 1, logLevel: 'silent', drainTimeout: 10, ...overrides });
  const app = await createApp(config, { logger: pino({ level: 'silent' }), ...parts });
  const newKey = async (wanted: Partial<NewKey> = {}) => {
    const { key, secret } = await app.keys.create({ name: 'test', ...wanted });
    return { query: `api_key=${key.id}&api_secret=${secret}`, id: key.id, secret };
  };
  const { query, id, secret } = await newKey();
  return {
    ...{ app, config, key: id, secret, query, newKey },
    post: (body, headers = {}) =>
      app.server.inject({
        method: 'POST',
        url: `/v1/aiquality?${query}`,
        headers: { 'content-type': 'application/json', ...headers },
        payload: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
      }),
    listen: async () => (await app.start()).url,
  };
}

/** A body of the documented interface. */
export const bodyOf = (data: Buffer | string, parameter: Record<string, unknown> = {}, label = 'jpg') => ({
  media_info_list: [{ media_data: typeof data === 'string' ? data : data.toString('base64'), media_profiles: { media_data_type: label } }],
  parameter,
});
