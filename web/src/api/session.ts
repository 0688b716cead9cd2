import { remember, remembered } from '../remember.ts';

export interface ServerLimits {
  readonly maxFileBytes: number;
  readonly maxPixels: number;
}

interface SessionAnswer {
  readonly mode: 'local' | 'keys';
  readonly token?: string;
  readonly limits: ServerLimits;
}

interface Key {
  readonly key: string;
  readonly secret: string;
}

const SESSION_KEY = 'mingxi.key';

/**
 * How this page proves itself: on a server of the same machine by a token of the page's own session
 * (the server gives it to this origin only), elsewhere by an API key asked for once.
 */
export class Session {
  #mode: 'local' | 'keys' = 'keys';
  #token = '';
  #key: Key | null = readKey();
  limits: ServerLimits = { maxFileBytes: 50 * 1024 * 1024, maxPixels: 64_000_000 };

  /** Asks the server which of the two holds. @throws TypeError when there is no answer */
  async open(): Promise<void> {
    const response = await fetch('/studio/session', { method: 'POST', headers: { 'x-mingxi-studio': 'open' } });
    if (!response.ok) return;
    const answer = (await response.json()) as SessionAnswer;
    this.#mode = answer.mode;
    this.#token = answer.token ?? '';
    this.limits = answer.limits;
  }

  get needsKey(): boolean {
    return this.#mode === 'keys' && this.#key === null;
  }

  /** The page's own token; empty with a key. */
  get token(): string {
    return this.#token;
  }

  get usesKey(): boolean {
    return this.#mode === 'keys';
  }

  /** Keeps a key: for this tab, or on this device. */
  useKey(key: string, secret: string, onDevice: boolean): void {
    this.#key = { key, secret };
    const value = JSON.stringify(this.#key);
    remember('key', onDevice ? value : null);
    try {
      sessionStorage.setItem(SESSION_KEY, value);
    } catch {
      // blocked: the key lasts as long as the page
    }
  }

  /** Drops a key the server refused. */
  forgetKey(): void {
    this.#key = null;
    remember('key', null);
    try {
      sessionStorage.removeItem(SESSION_KEY);
    } catch {
      // nothing was kept
    }
  }

  headers(): Record<string, string> {
    if (this.#mode === 'local') return { 'x-mingxi-studio': this.#token };
    return this.#key === null ? {} : { 'x-api-key': this.#key.key, 'x-api-secret': this.#key.secret };
  }
}

function readKey(): Key | null {
  let text: string | null = null;
  try {
    text = sessionStorage.getItem(SESSION_KEY);
  } catch {
    // blocked: the device's copy, if any
  }
  text ??= remembered('key');
  if (text === null) return null;
  try {
    const value = JSON.parse(text) as Partial<Key>;
    return typeof value.key === 'string' && typeof value.secret === 'string' ? { key: value.key, secret: value.secret } : null;
  } catch {
    return null;
  }
}
