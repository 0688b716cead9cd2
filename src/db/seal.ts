import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const VERSION = 'v1';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts a short text with AES-256-GCM under the server key, as `v1:BASE64(iv, tag, text)`.
 * `owner` is authenticated but not stored: a sealed text moved to another row does not open.
 */
export function seal(text: string, serverKey: Buffer, owner: string): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', serverKey, iv);
  cipher.setAAD(Buffer.from(owner, 'utf8'));
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return `${VERSION}:${Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64')}`;
}

/**
 * Opens what `seal` made.
 * @throws Error when the text was altered, belongs to another owner or was sealed under another key
 */
export function unseal(sealed: string, serverKey: Buffer, owner: string): string {
  const [version, text] = sealed.split(':');
  if (version !== VERSION || text === undefined) throw new Error('a sealed secret has an unknown form');
  const bytes = Buffer.from(text, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', serverKey, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(owner, 'utf8'));
  decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8');
}
