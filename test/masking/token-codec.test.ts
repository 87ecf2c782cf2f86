import { createCipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { aessiv } from '@noble/ciphers/aes.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTokenCodec, isToken } from '../../src/masking/token-codec.js';

const key = (byte: number): KeyObject => createSecretKey(Buffer.alloc(32, byte));
const codec = createTokenCodec('acme', [{ version: 1, key: key(1) }]);

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ minLength: 15, maxLength: 33 }),
  fc.constantFrom('', '\u0080', 'x'.repeat(16), '0', '👩‍👩‍👧'),
);

/** AES-SIV (RFC 5297) without associated data, read from the RFC and written over Node's AES alone. */
function referenceSiv(sivKey: Uint8Array, plaintext: Uint8Array): Buffer {
  const [k1, k2] = [sivKey.subarray(0, 32), sivKey.subarray(32)];
  const aes = (block: Uint8Array): Buffer => {
    const cipher = createCipheriv('aes-256-ecb', k1, null).setAutoPadding(false);
    return Buffer.concat([cipher.update(block), cipher.final()]);
  };
  const xor = (a: Uint8Array, b: Uint8Array) => Buffer.from(a.map((byte, i) => byte ^ (b[i] ?? 0)));
  const double = (block: Buffer): Buffer => {
    const number = BigInt(`0x${block.toString('hex')}`) << 1n;
    const folded = number >> 128n === 0n ? number : (number & ((1n << 128n) - 1n)) ^ 0x87n;
    return Buffer.from(folded.toString(16).padStart(32, '0'), 'hex');
  };
  const padded = (block: Uint8Array) => Buffer.concat([block, Buffer.from([0x80])], 16);
  const cmac = (message: Buffer): Buffer => {
    const subkey = double(aes(Buffer.alloc(16)));
    const whole = message.length > 0 && message.length % 16 === 0;
    const cut = whole ? message.length - 16 : Math.floor(message.length / 16) * 16;
    const rest = message.subarray(cut);
    const last = whole ? xor(rest, subkey) : xor(padded(rest), double(subkey));
    let state: Buffer = Buffer.alloc(16);
    for (let at = 0; at < cut; at += 16) state = aes(xor(state, message.subarray(at, at + 16)));
    return aes(xor(state, last));
  };
  const message = Buffer.from(plaintext);
  const start = cmac(Buffer.alloc(16));
  const end = message.length - 16;
  const mixed =
    message.length >= 16
      ? Buffer.concat([message.subarray(0, end), xor(message.subarray(end), start)])
      : xor(double(start), padded(message));
  const iv = cmac(mixed);
  const counter = Buffer.from(iv);
  counter[8] = (counter[8] ?? 0) & 0x7f;
  counter[12] = (counter[12] ?? 0) & 0x7f;
  const ctr = createCipheriv('aes-256-ctr', k2, counter);
  return Buffer.concat([iv, ctr.update(message)]);
}

describe('tokens', () => {
  it('are those of AES-SIV as RFC 5297 defines it (appendix A.1)', () => {
    const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
    const sivKey = bytes('fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff');
    const data = bytes('101112131415161718191a1b1c1d1e1f2021222324252627');
    const sealed = aessiv(sivKey, data).encrypt(bytes('112233445566778899aabbccddee'));
    expect(Buffer.from(sealed).toString('hex')).toBe(
      '85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c',
    );
  });

  it('are what a second reading of the RFC makes', () => {
    fc.assert(
      fc.property(text, (value) => {
        const info = JSON.stringify(['vkit tokenize', 'acme', 1, 'd']);
        const derived = Buffer.from(hkdfSync('sha256', key(1), Buffer.alloc(0), info, 64));
        const bytes = Buffer.from(value, 'utf8');
        const blocks = Buffer.alloc((Math.floor(bytes.length / 16) + 1) * 16);
        blocks.set(bytes);
        blocks[bytes.length] = 0x80;
        const expected = referenceSiv(derived, blocks).toString('base64url');
        expect(codec.seal(value, 'd')).toBe(`tok_1_${expected}`);
      }),
      { numRuns: 300 },
    );
  });

  it('open to the text they were made of, in their domain alone', () => {
    fc.assert(
      fc.property(text, (value) => {
        const token = codec.seal(value, 'd');
        expect(isToken(token)).toBe(true);
        expect(codec.seal(value, 'd')).toBe(token);
        expect(codec.open(token, 'd')).toBe(Buffer.from(value, 'utf8').toString('utf8'));
        expect(codec.open(token, 'e')).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  it('show the length of a value in blocks, and no more of it', () => {
    const lengthOf = (characters: number) => codec.seal('x'.repeat(characters), 'd').length;
    expect(new Set([0, 1, 8, 15].map(lengthOf)).size).toBe(1);
    expect(lengthOf(16)).toBeGreaterThan(lengthOf(15));
  });

  it('differ by organisation, domain and version', () => {
    const other = createTokenCodec('other', [{ version: 1, key: key(1) }]);
    const newer = createTokenCodec('acme', [{ version: 2, key: key(1) }]);
    const bodies = [
      codec.seal('ann', 'd'),
      codec.seal('ann', 'e'),
      other.seal('ann', 'd'),
      newer.seal('ann', 'd'),
    ].map((token) => token.split('_')[2]);
    expect(new Set(bodies).size).toBe(4);
    expect(other.open(codec.seal('ann', 'd'), 'd')).toBeUndefined();
  });

  it('do not open when any character of them is changed', () => {
    const token = codec.seal('ann@acme.test', 'd');
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    for (let at = 0; at < token.length; at += 1) {
      for (const character of alphabet) {
        if (character === token[at]) continue;
        const changed = token.slice(0, at) + character + token.slice(at + 1);
        expect(codec.open(changed, 'd'), changed).toBeUndefined();
      }
    }
    for (const changed of [`${token}A`, token.slice(0, -1), `${token}=`, ` ${token}`, '']) {
      expect(codec.open(changed, 'd'), changed).toBeUndefined();
    }
  });

  it('of an older key still open, and new ones are made with the newest', () => {
    const rotated = createTokenCodec('acme', [
      { version: 10, key: key(3) },
      { version: 1, key: key(1) },
      { version: 9, key: key(2) },
    ]);
    expect(rotated.open(codec.seal('ann', 'd'), 'd')).toBe('ann');
    expect(rotated.seal('ann', 'd')).toMatch(/^tok_10_/);
    expect(codec.open(rotated.seal('ann', 'd'), 'd')).toBeUndefined();
  });

  it('need a key', () => {
    expect(() => createTokenCodec('acme', [])).toThrow(RangeError);
  });

  it('are ordered by a salt that differs by grant and organisation', () => {
    const other = createTokenCodec('other', [{ version: 1, key: key(1) }]);
    const salts = [codec.orderSalt('gr_1'), codec.orderSalt('gr_2'), other.orderSalt('gr_1')];
    expect(new Set(salts).size).toBe(3);
    expect(codec.orderSalt('gr_1')).toBe(salts[0]);
  });
});
