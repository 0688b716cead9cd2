import { randomBytes } from 'node:crypto';

const HOUR = 3_600_000;
const HOUR_DIGITS = 6;
const RANDOM_BYTES = 20;
const PATTERN = /^[0-9a-f]{46}$/;

/**
 * A new id: the hour of expiry (6 hex digits), then 160 random bits. With the hour in the id,
 * expired objects are found by folder name, without reading or keeping a list of all of them.
 */
export function newObjectId(expiresAt: number): string {
  return hourName(expiresAt) + randomBytes(RANDOM_BYTES).toString('hex');
}

/** Whether a text from outside has the form of an id; anything else never reaches a path. */
export function isObjectId(text: string): boolean {
  return PATTERN.test(text);
}

/** The hour of a time as it stands in ids and folder names; names sort as times do. */
export function hourName(time: number): string {
  return Math.floor(time / HOUR)
    .toString(16)
    .padStart(HOUR_DIGITS, '0');
}

/** An id's parts: its hour and the random rest. */
export function splitObjectId(id: string): { hour: string; random: string } {
  return { hour: id.slice(0, HOUR_DIGITS), random: id.slice(HOUR_DIGITS) };
}

const TIME_DIGITS = 11;
const TIMED_PATTERN = /^[0-9a-f]{51}$/;

/**
 * A new id for a store that lists names in order and has no folders: the millisecond of expiry
 * (11 hex digits, enough until 2527), then 160 random bits. A listing is sorted by expiry.
 */
export function newTimedId(expiresAt: number): string {
  return expiresAt.toString(16).padStart(TIME_DIGITS, '0') + randomBytes(RANDOM_BYTES).toString('hex');
}

/** When an object with this id is over (milliseconds since 1970); undefined for a text that is no timed id. */
export function expiryOfTimedId(text: string): number | undefined {
  return TIMED_PATTERN.test(text) ? Number.parseInt(text.slice(0, TIME_DIGITS), 16) : undefined;
}
