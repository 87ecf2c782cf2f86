import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** `vks_` is a person's session, `vka_` an agent's token. */
export type TokenPrefix = 'vks_' | 'vka_';

const SECRET_BYTES = 32;
const SHOWN_CHARACTERS = 12;

export interface NewToken {
  /** The prefix and 256 random bits in base64url; shown once. */
  token: string;
  /** SHA-256 (hex) of the token: what is stored. A random secret of this size needs no slow hash. */
  hash: string;
  /** The first characters, by which people know it in lists. */
  prefix: string;
}

/** A new bearer token. */
export function newToken(prefix: TokenPrefix): NewToken {
  const token = prefix + randomBytes(SECRET_BYTES).toString('base64url');
  return { token, hash: hashToken(token), prefix: token.slice(0, SHOWN_CHARACTERS) };
}

/** SHA-256 (hex) of a token as it was presented. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token, 'utf8').digest('hex');
}

/** Tells in constant time whether a token has the stored hash (hex); false for a hash that is none. */
export function tokenHasHash(token: string, hash: string): boolean {
  const stored = Buffer.from(hash, 'hex');
  const presented = Buffer.from(hashToken(token), 'hex');
  return stored.length === presented.length && timingSafeEqual(stored, presented);
}
