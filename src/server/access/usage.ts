import type { ApiKey } from '../../db/keys.ts';
import type { ErrorName } from '../../errors.ts';

/** One picture's end, as it is accounted for. */
export interface PictureUsage {
  /** Interface that was called, e.g. `aiquality`. */
  readonly scope: string;
  readonly outcome: 'ok' | ErrorName;
  readonly pixels: number;
  /** Seconds of restoration. */
  readonly seconds: number;
}

/** Quotas and accounting of a key. */
export interface UsageMeter {
  /** @throws AppError RIGHTS_LIMIT_EXCEEDED when the day's or month's pictures are used up */
  admit(key: ApiKey): Promise<void>;
  /** Charges what succeeded and counts what failed: once per request, when its answer is known. */
  record(key: ApiKey, pictures: readonly PictureUsage[]): Promise<void>;
}

/** No quotas, nothing recorded. */
export const UNMETERED: UsageMeter = { admit: async () => {}, record: async () => {} };
