import { randomFillSync } from 'node:crypto';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const CHARACTERS = 26;

/** Random bytes are drawn for many ids at once: asking for them costs more than they do. Each is used once, and wiped. */
const pool = new Uint8Array(CHARACTERS * 128);
let used = pool.length;

/**
 * A new unguessable id: the prefix, `_`, and 26 characters of lower-case base32 (RFC 4648's
 * alphabet), which is 130 random bits: `req_k5v…`.
 */
export function randomId(prefix: string): string {
  if (used + CHARACTERS > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  let id = '';
  // 256 is a multiple of 32, so the low five bits of a random byte are uniform.
  for (const byte of pool.subarray(used, used + CHARACTERS)) id += ALPHABET[byte & 31];
  pool.fill(0, used, used + CHARACTERS);
  used += CHARACTERS;
  return `${prefix}_${id}`;
}
