import { AppError } from '../errors.ts';
import type { NewKey } from './keys.ts';

const MAX_NAME = 200;

/**
 * Refuses a key that could not be stored or would never work, such as one with no calls per second.
 * @throws AppError PARAM_VALUE_ERROR naming the first wrong field
 */
export function checkNewKey(wanted: NewKey): void {
  const { name, scopes = [], qps, dailyLimit, monthlyLimit, concurrentLimit, expiresAt } = wanted;
  if (name.trim() === '' || name.length > MAX_NAME) throw wrong('name', `1 to ${MAX_NAME} characters`, `${name.length} characters`);
  if (scopes.some((scope) => scope.trim() === '')) throw wrong('scopes', 'names of interfaces', 'an empty one');
  if (isSet(qps) && !(qps > 0 && Number.isFinite(qps))) throw wrong('qps', 'a number above 0', qps);
  for (const [field, value] of Object.entries({ dailyLimit, monthlyLimit, concurrentLimit, expiresAt })) {
    if (isSet(value) && !(Number.isSafeInteger(value) && value >= 0)) throw wrong(field, 'a whole number from 0', value);
  }
}

const isSet = (value: number | null | undefined): value is number => value !== null && value !== undefined;

function wrong(field: string, expected: string, received: string | number): AppError {
  return new AppError('PARAM_VALUE_ERROR', `A key's ${field}: expected ${expected}, received ${received}.`);
}
