import { createHash } from 'node:crypto';
import { type ApiKey, keyIsValid } from '../../db/keys.ts';
import type { Credentials } from './credentials.ts';

/** A key is believed for this long after it was looked up, ms. */
const BELIEVED_FOR = 1_000;
/** Most keys remembered; the oldest are forgotten first. */
const MOST = 1_000;

/**
 * Keys that were found right a moment ago, by digests of their credentials. For telling a known caller that
 * there is no room without asking the database, which costs as much as all the rest of a refusal; never
 * for letting anybody in.
 */
export class RecentKeys {
  readonly #seen = new Map<string, { readonly key: ApiKey; readonly until: number }>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  remember(credentials: Credentials, key: ApiKey): void {
    const digest = digestOf(credentials);
    // Deleted first, so that the order of the map is that of the times.
    this.#seen.delete(digest);
    this.#seen.set(digest, { key, until: this.#now() + BELIEVED_FOR });
    for (const [oldest, { until }] of this.#seen) {
      if (this.#seen.size <= MOST && until > this.#now()) return;
      this.#seen.delete(oldest);
    }
  }

  recall(credentials: Credentials): ApiKey | undefined {
    const found = this.#seen.get(digestOf(credentials));
    return found && found.until > this.#now() && keyIsValid(found.key) ? found.key : undefined;
  }
}

/** With the length, so that no other pair of halves has the same text. */
function digestOf({ key, secret }: Credentials): string {
  return createHash('sha256').update(`${key.length} ${key}${secret}`, 'utf8').digest('base64');
}
