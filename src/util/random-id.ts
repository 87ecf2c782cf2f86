import { randomBytes } from 'node:crypto';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const CHARACTERS = 26;

/**
 * A new unguessable id: the prefix, `_`, and 26 characters of lower-case base32 (RFC 4648's
 * alphabet), which is 130 random bits: `req_k5v…`.
 */
export function randomId(prefix: string): string {
  let id = '';
  // 256 is a multiple of 32, so the low five bits of a random byte are uniform.
  for (const byte of randomBytes(CHARACTERS)) id += ALPHABET[byte & 31];
  return `${prefix}_${id}`;
}
