import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hashToken, newToken, tokenHasHash } from '../../src/services/token-secrets.js';

describe('a token', () => {
  it('is its prefix and 256 random bits, and is stored as a hash', () => {
    const { token, hash, prefix } = newToken('vka_');
    expect(token).toMatch(/^vka_[\w-]{43}$/);
    expect(hash).toBe(createHash('sha256').update(token).digest('hex'));
    expect(prefix).toBe(token.slice(0, 12));
    expect(newToken('vka_').token).not.toBe(token);
  });

  it('is known by its hash and by no other', () => {
    const { token, hash } = newToken('vks_');
    expect(tokenHasHash(token, hash)).toBe(true);
    expect(tokenHasHash(`${token}x`, hash)).toBe(false);
    expect(tokenHasHash(token, hashToken('vks_'))).toBe(false);
    expect(tokenHasHash(token, '')).toBe(false);
    expect(tokenHasHash(token, hash.slice(0, 10))).toBe(false);
  });
});
