import { execFileSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompactSign, flattenedVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { bundleChecksum, signatureInput } from '../../src/bundle/canonicalise.js';
import { compileBundle } from '../../src/bundle/compile-bundle.js';
import { keyId, signBundle, signingAlgorithm } from '../../src/bundle/sign-bundle.js';
import { type VerifyBundleOptions, verifyBundle } from '../../src/bundle/verify-bundle.js';
import { ed25519, type Pair, parsed, sampleInput, signedSample } from './sample.js';

// biome-ignore lint/suspicious/noExplicitAny: tests break documents in ways no type allows.
type Loose = any;

const keys = ed25519();
const now = new Date('2026-03-02T00:00:00Z');
const options: VerifyBundleOptions = { trustedKeys: [keys.publicKey], org: 'acme', now };

async function codeOf(
  document: unknown,
  extra: Partial<VerifyBundleOptions> = {},
): Promise<string> {
  return verifyBundle(parsed(document), { ...options, ...extra }).then(
    () => 'ok',
    (error) => error.code,
  );
}

/** Signs with a header of one's own, as an attacker with a trusted key's file would not even need to. */
async function withHeader(header: Loose, text?: string): Promise<Loose> {
  const document = (await signedSample(keys)) as Loose;
  const payload = Buffer.from(signatureInput(document));
  const jws = await new CompactSign(payload).setProtectedHeader(header).sign(keys.privateKey);
  const [encoded, , signature] = jws.split('.');
  document.signing.signature = `${text === undefined ? encoded : Buffer.from(text).toString('base64url')}..${signature}`;
  return document;
}

describe('verifyBundle', () => {
  it.each<[string, () => Pair]>([
    ['EdDSA', ed25519],
    ['RS256', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['ES256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ])('accepts a bundle signed with %s', async (alg, generate) => {
    const pair = generate();
    const document = (await signedSample(pair)) as Loose;
    expect(document.signing.alg).toBe(alg);
    expect(await codeOf(document, { trustedKeys: [keys.publicKey, pair.publicKey] })).toBe('ok');
  });

  it('refuses weak and unfit keys', () => {
    for (const pair of [
      generateKeyPairSync('rsa', { modulusLength: 1024 }),
      generateKeyPairSync('ec', { namedCurve: 'P-384' }),
      generateKeyPairSync('x25519'),
    ]) {
      expect(() => signingAlgorithm(pair.privateKey)).toThrow(
        expect.objectContaining({ code: 'key_invalid' }),
      );
    }
  });

  it('refuses a changed policy by its checksum, and by its signature once the checksum is mended', async () => {
    const document = (await signedSample(keys)) as Loose;
    document.policies[0].priority = 1;
    expect(await codeOf(document)).toBe('bundle_checksum');
    document.bundle.checksum = bundleChecksum(document);
    expect(await codeOf(document)).toBe('bundle_signature');
  });

  it('refuses every single changed byte of the signature', async () => {
    const document = (await signedSample(keys)) as Loose;
    const [header, signature] = document.signing.signature.split('..');
    const bytes = Buffer.from(signature, 'base64url');
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = Buffer.from(bytes);
      changed[index] = (changed[index] ?? 0) ^ 1;
      document.signing.signature = `${header}..${changed.toString('base64url')}`;
      expect(await codeOf(document)).toBe('bundle_signature');
    }
  });

  it('refuses another spelling of the same signature', async () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const document = (await signedSample(keys)) as Loose;
    const text: string = document.signing.signature;
    // Two bits of the last character say nothing, in the 86 characters of 64 bytes.
    const last = alphabet.indexOf(text.at(-1) ?? '');
    for (const spare of [1, 2, 3]) {
      document.signing.signature = `${text.slice(0, -1)}${alphabet[last ^ spare]}`;
      expect(await codeOf(document)).toBe('bundle_signature');
    }
    for (const other of [`${text}==`, `${text}\n`, text.replace('..', '. .')]) {
      document.signing.signature = other;
      expect(await codeOf(document).catch(() => 'no bundle')).not.toBe('ok');
    }
  });

  it('refuses a key that is not trusted, and the same bundle without any trusted key', async () => {
    const document = await signedSample(ed25519());
    expect(await codeOf(document)).toBe('bundle_signature');
    expect(await codeOf(document, { trustedKeys: [] })).toBe('bundle_signature');
  });

  it('refuses a header that is not exactly the one of a bundle', async () => {
    const kid = await keyId(keys.publicKey);
    const right = { alg: 'EdDSA', kid, typ: 'vkit-bundle' };
    expect(await codeOf(await withHeader(right))).toBe('ok');
    expect(await codeOf(await withHeader({ ...right, typ: 'vkit-grant' }))).toBe(
      'bundle_signature',
    );
    expect(await codeOf(await withHeader({ alg: 'EdDSA', kid }))).toBe('bundle_signature');
    expect(await codeOf(await withHeader({ ...right, kid: 'other' }))).toBe('bundle_signature');
    expect(await codeOf(await withHeader({ ...right, cty: 'json' }))).toBe('bundle_signature');
    expect(await codeOf(await withHeader(right, '{"alg":"none"}'))).toBe('bundle_signature');
    expect(
      await codeOf(
        await withHeader(right, `{"alg":"EdDSA","kid":"x","kid":"${kid}","typ":"vkit-bundle"}`),
      ),
    ).toBe('bundle_signature');
  });

  it('refuses a signature that carries a payload of its own', async () => {
    const document = (await signedSample(keys)) as Loose;
    const [header, signature] = document.signing.signature.split('..');
    document.signing.signature = `${header}.${Buffer.from(signatureInput(document)).toString('base64url')}.${signature}`;
    expect(await codeOf(document)).toBe('bundle_signature');
  });

  it('refuses an RSA bundle whose algorithm was renamed', async () => {
    const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const document = (await signedSample(pair)) as Loose;
    document.signing.alg = 'ES256';
    expect(await codeOf(document, { trustedKeys: [pair.publicKey] })).toBe('bundle_signature');
  });

  it('refuses another organisation', async () => {
    expect(await codeOf(await signedSample(keys, { org: 'globex' }))).toBe('bundle_org');
  });

  it('takes an unsigned bundle only where that is allowed', async () => {
    const document = JSON.parse(JSON.stringify(compileBundle(sampleInput())));
    expect(await codeOf(document)).toBe('bundle_signature');
    expect(await codeOf(document, { allowUnsigned: true })).toBe('ok');
  });

  it('verifies a signature that is there even where none is needed', async () => {
    expect(await codeOf(await signedSample(ed25519()), { allowUnsigned: true })).toBe(
      'bundle_signature',
    );
  });

  it('takes a dirty bundle only where that is allowed', async () => {
    const document = await signedSample(keys, { dirty: true });
    expect(await codeOf(document)).toBe('bundle_dirty');
    expect(await codeOf(document, { allowDirty: true })).toBe('ok');
  });

  it('refuses a bundle from the very moment it expires', async () => {
    const document = await signedSample(keys, { expiresAt: '2026-03-02T00:00:00Z' });
    expect(await codeOf(document)).toBe('bundle_expired');
    expect(await codeOf(document, { now: new Date(now.getTime() - 1) })).toBe('ok');
  });
});

describe('signBundle', () => {
  it('is verified by plain jose, given the canonical text', async () => {
    const document = (await signedSample(keys)) as Loose;
    const [header, signature] = document.signing.signature.split('..');
    const payload = Buffer.from(signatureInput(document)).toString('base64url');
    const result = await flattenedVerify({ protected: header, payload, signature }, keys.publicKey);
    expect(result.protectedHeader).toEqual({
      alg: 'EdDSA',
      kid: document.signing.key_id,
      typ: 'vkit-bundle',
    });
  });

  it('is verified by openssl, given the signing input of RFC 7515', async () => {
    const document = (await signedSample(keys)) as Loose;
    const [header, signature] = document.signing.signature.split('..');
    const folder = mkdtempSync(join(tmpdir(), 'vkit-openssl-'));
    try {
      writeFileSync(
        join(folder, 'pub.pem'),
        keys.publicKey.export({ type: 'spki', format: 'pem' }),
      );
      writeFileSync(
        join(folder, 'input'),
        `${header}.${Buffer.from(signatureInput(document)).toString('base64url')}`,
      );
      writeFileSync(join(folder, 'sig'), Buffer.from(signature, 'base64url'));
      const verify = () =>
        execFileSync(
          'openssl',
          [
            'pkeyutl',
            '-verify',
            '-pubin',
            '-inkey',
            'pub.pem',
            '-rawin',
            '-in',
            'input',
            '-sigfile',
            'sig',
          ],
          { cwd: folder, encoding: 'utf8', stdio: 'pipe' },
        );
      expect(verify()).toContain('Signature Verified Successfully');
      writeFileSync(join(folder, 'input'), 'something else');
      expect(verify).toThrow();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('gives the same bytes each time with Ed25519', async () => {
    const bundle = compileBundle(sampleInput());
    const [one, two] = await Promise.all(
      [0, 1].map(() => signBundle(bundle, keys.privateKey, keys.publicKey)),
    );
    expect(one).toEqual(two);
  });
});

describe('keyId', () => {
  it('is the thumbprint of RFC 8037, appendix A.3', async () => {
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
    expect(await keyId(createPublicKey({ key: jwk, format: 'jwk' }))).toBe(
      'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
    );
  });
});
