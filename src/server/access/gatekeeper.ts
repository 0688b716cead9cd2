import { type ApiKey, type KeyStore, keyAllows, keyIsValid } from '../../db/keys.ts';
import { AppError } from '../../errors.ts';
import { type Credentials, unauthorized } from './credentials.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { RecentKeys } from './recent-keys.ts';

/** Says who may come in; the routes and the signed gateway share it. */
export interface Gatekeeper {
  /** The valid key of a key and secret. @throws AppError GATEWAY_AUTHORIZED_ERROR */
  identify(credentials: Credentials | undefined): Promise<ApiKey>;
  /** The key as it was identified within the last second; good enough for a refusal, never for letting in. */
  recall(credentials: Credentials): ApiKey | undefined;
  /**
   * Scope, then rate of a key already identified. Quotas are accounting's: they need the number of pictures.
   * @throws AppError GATEWAY_AUTHORIZED_NOT_MATCH, GATEWAY_QPS_LIMIT
   */
  admit(key: ApiKey, scope: string): Promise<void>;
}

export interface GatekeeperDeps {
  readonly keys: Pick<KeyStore, 'verify' | 'touch'>;
  readonly rateLimiter: RateLimiter;
}

/** The checks of one call in the documented order. */
export function createGatekeeper({ keys, rateLimiter }: GatekeeperDeps): Gatekeeper {
  const recent = new RecentKeys();
  return {
    async identify(credentials) {
      if (!credentials) throw unauthorized();
      const key = await keys.verify(credentials.key, credentials.secret);
      if (!key || !keyIsValid(key)) throw unauthorized();
      recent.remember(credentials, key);
      return key;
    },
    recall: (credentials) => recent.recall(credentials),
    async admit(key, scope) {
      if (!keyAllows(key, scope)) {
        throw new AppError(
          'GATEWAY_AUTHORIZED_NOT_MATCH',
          `This key may not use ${scope}; it may use ${key.scopes.join(', ') || 'nothing'}.`,
        );
      }
      if (key.qps !== null) await takeToken(key.id, key.qps);
      await keys.touch(key.id);
    },
  };

  async function takeToken(id: string, perSecond: number): Promise<void> {
    const decision = await rateLimiter.take(id, perSecond);
    if (decision.allowed) return;
    const retryAfter = Math.max(1, Math.ceil(decision.retryAfter));
    throw new AppError('GATEWAY_QPS_LIMIT', `This key may make ${perSecond} calls per second.`, { retryAfter });
  }
}
