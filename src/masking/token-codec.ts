import { createHmac, hkdfSync, type KeyObject } from 'node:crypto';
import { aessiv } from '@noble/ciphers/aes.js';

/** One version of an organisation's token key: 256 random bits. */
export interface TokenKey {
  /** 1, 2, …; the highest makes new tokens, all of them open theirs. */
  version: number;
  key: KeyObject;
}

/** Makes and opens the tokens of one organisation. */
export interface TokenCodec {
  /** The token of a text: the same for the same text, domain and key version. */
  seal(text: string, domain: string): string;
  /** The text of a token; `undefined` where it does not authenticate in this domain. */
  open(token: string, domain: string): string | undefined;
  /**
   * A salt (hex) for the order of rows under one grant. Secret: with it, whoever guesses a value could tell where it
   * stands among the tokens.
   */
  orderSalt(grantId: string): string;
}

const TOKEN = /^tok_([1-9]\d{0,8})_([A-Za-z0-9_-]{43,})$/;

/** AES-256-SIV takes two keys of 256 bits. */
const SIV_KEY_BYTES = 64;
const BLOCK_BYTES = 16;
/** Domains of which the keys are held; there is one for each classification of the registry. */
const DOMAINS_HELD_MAX = 1_000;

/** Whether a text has the form of a token, whatever it may be worth. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/**
 * AES-256-SIV (RFC 5297) without associated data over the text's UTF-8 bytes, padded to blocks of 16 bytes (ISO/IEC
 * 7816-4: 0x80, then zeros), under a key of its own for each key version and domain (HKDF-SHA-256, RFC 5869). A token is
 * `tok_<version>_<base64url of the synthetic IV and the ciphertext>`. Throws where no key is given.
 */
export function createTokenCodec(org: string, keys: readonly TokenKey[]): TokenCodec {
  const byVersion = new Map(keys.map((one) => [one.version, one.key]));
  const current = Math.max(...byVersion.keys());
  const newest = byVersion.get(current);
  if (newest === undefined) throw new RangeError('Tokens need a key.');
  const held = new Map<string, Uint8Array>();

  function domainKey(version: number, key: KeyObject, domain: string): Uint8Array {
    const info = JSON.stringify(['vkit tokenize', org, version, domain]);
    const found = held.get(info);
    if (found !== undefined) return found;
    const derived = new Uint8Array(hkdfSync('sha256', key, new Uint8Array(), info, SIV_KEY_BYTES));
    if (held.size >= DOMAINS_HELD_MAX) held.clear();
    held.set(info, derived);
    return derived;
  }

  return {
    seal(text, domain) {
      const sealed = aessiv(domainKey(current, newest, domain)).encrypt(pad(text));
      return `tok_${current}_${Buffer.from(sealed).toString('base64url')}`;
    },
    open(token, domain) {
      const [, digits = '', base64 = ''] = TOKEN.exec(token) ?? [];
      const version = Number(digits);
      const key = byVersion.get(version);
      const bytes = Buffer.from(base64, 'base64url');
      // One token, one spelling: the last character may have bits that say nothing.
      if (key === undefined || bytes.toString('base64url') !== base64) return undefined;
      try {
        return unpad(aessiv(domainKey(version, key, domain)).decrypt(bytes));
      } catch {
        // The package says the same whether the length or the tag is wrong.
        return undefined;
      }
    },
    orderSalt: (grantId) =>
      createHmac('sha256', newest)
        .update(JSON.stringify(['vkit order', org, grantId]))
        .digest('hex'),
  };
}

function pad(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'utf8');
  const padded = new Uint8Array((Math.floor(bytes.length / BLOCK_BYTES) + 1) * BLOCK_BYTES);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  return padded;
}

function unpad(padded: Uint8Array): string | undefined {
  const end = padded.lastIndexOf(0x80);
  return end < 0 ? undefined : Buffer.from(padded.subarray(0, end)).toString('utf8');
}
