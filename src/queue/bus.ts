import type { Listener, News } from './contract.ts';

/** Carries news between processes over the queue's server. It keeps nothing: who is away misses them. */
export interface Bus {
  /** @throws when the server does not answer */
  send(news: News): Promise<void>;
  listen(listener: Listener): void;
  close(): Promise<void>;
}

/** A message as news; undefined for anything else that may be on the channel. */
export function newsOf(text: string | undefined): News | undefined {
  try {
    const value = JSON.parse(text ?? '') as Partial<News> | null;
    return typeof value?.id === 'string' && typeof value.state === 'string' ? { id: value.id, state: value.state } : undefined;
  } catch {
    return undefined;
  }
}
