import { buffer } from 'node:stream/consumers';
import { httpServer } from '../support/http-server.ts';

/** Where callbacks arrive. */
export interface Receiver {
  readonly url: string;
  /** For each job the ids of the deliveries that told of it: several tries of one telling have one id. */
  readonly told: ReadonlyMap<string, ReadonlySet<string>>;
  close(): Promise<void>;
}

export async function startReceiver(host: string): Promise<Receiver> {
  const told = new Map<string, Set<string>>();
  const server = await httpServer(async (request, response) => {
    const { msg_id: id = '' } = JSON.parse((await buffer(request)).toString()) as { msg_id?: string };
    told.set(id, (told.get(id) ?? new Set()).add(String(request.headers['x-mingxi-delivery'])));
    response.end();
  }, host);
  return { url: `${server.base}/`, told, close: server.close };
}
