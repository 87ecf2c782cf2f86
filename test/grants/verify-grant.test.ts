import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import type { VkitError } from '../../src/errors/index.js';
import { type GrantContent, grantDigest } from '../../src/grants/grant-digest.js';
import { issueGrant } from '../../src/grants/issue-grant.js';
import {
  rememberVerified,
  type VerifyGrantOptions,
  verifyGrant,
} from '../../src/grants/verify-grant.js';

const NOW = Date.UTC(2026, 2, 1, 10, 0, 0);
const NOW_SECONDS = NOW / 1000;
const AQL = 'a'.repeat(64);
const pair = generateKeyPairSync('ed25519');
const other = generateKeyPairSync('ed25519');
const KEY = { kid: 'server', privateKey: pair.privateKey };

const CONTENT: GrantContent = {
  iss: 'vkit',
  aud: 'default',
  sub: 'usr_ann',
  jti: 'gr_one',
  iat: NOW_SECONDS,
  nbf: NOW_SECONDS,
  exp: NOW_SECONDS + 900,
  vkit: {
    request_id: 'req_one',
    datasource: 'shop',
    aql_sha256: AQL,
    bundle_checksum: 'b'.repeat(64),
    epoch: 3,
    roles: ['analyst'],
    clearance: 'medium',
    region: null,
    environment: 'production',
    purpose: null,
    masks: {
      'customers.email': { method: 'hash' },
      'customers.name': { method: 'partial', prefix: 3, suffix: 0, minLength: 6 },
    },
    max_rows: 100,
    operations: ['select'],
  },
};

const OPTIONS: VerifyGrantOptions = {
  keys: new Map([['server', pair.publicKey]]),
  algorithms: ['EdDSA'],
  issuer: 'vkit',
  org: 'default',
  now: NOW,
  leewaySeconds: 60,
  active: { checksum: 'b'.repeat(64), epoch: 3 },
  aqlSha256: AQL,
  requesterId: 'usr_ann',
};

function verify(jwt: string, change: Partial<VerifyGrantOptions> = {}) {
  return verifyGrant(jwt, { ...OPTIONS, ...change });
}

function withDigest(content: GrantContent): Record<string, unknown> {
  return { ...content, vkit: { ...content.vkit, digest: grantDigest(content) } };
}

/** A token signed by hand, for headers and claims that `issueGrant` would not make. */
function sign(claims: Record<string, unknown>, header: Record<string, unknown>, key: KeyObject) {
  const full = { alg: 'EdDSA', kid: 'server', typ: 'vkit-grant', ...header };
  return new SignJWT(claims).setProtectedHeader(full).sign(key, { crit: { 'x-limit': true } });
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

describe('a grant that holds', () => {
  it('gives its claims back, digest included', async () => {
    const claims = await verify(await issueGrant(CONTENT, KEY));
    expect(claims).toEqual(withDigest(CONTENT));
  });

  it.each([
    ['RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ] as const)('may be signed with %s where that is configured', async (algorithm, keys) => {
    const jwt = await issueGrant(CONTENT, { kid: 'other', privateKey: keys.privateKey });
    const trusted = new Map([['other', keys.publicKey]]);
    await expect(verify(jwt, { keys: trusted, algorithms: [algorithm] })).resolves.toMatchObject({
      jti: 'gr_one',
    });
    await expect(verify(jwt, { keys: trusted, algorithms: ['EdDSA'] })).rejects.toMatchObject({
      code: 'grant_invalid',
    });
  });

  it('is taken by a clock that is off by no more than the leeway', async () => {
    const jwt = await issueGrant(CONTENT, KEY);
    await expect(verify(jwt, { now: NOW - 60_000 })).resolves.toBeDefined();
    await expect(verify(jwt, { now: NOW + 959_000 })).resolves.toBeDefined();
    await expect(verify(jwt, { leewaySeconds: 61 })).rejects.toThrow(RangeError);
    await expect(verify(jwt, { leewaySeconds: Number.NaN })).rejects.toThrow(RangeError);
  });
});

describe('a grant with a changed byte', () => {
  it('is refused wherever the byte is and whatever it becomes', async () => {
    const jwt = await issueGrant(CONTENT, KEY);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\0é';
    const change = fc.tuple(fc.nat(jwt.length - 1), fc.constantFrom(...alphabet));
    await fc.assert(
      fc.asyncProperty(change, async ([at, character]) => {
        fc.pre(jwt[at] !== character);
        const changed = jwt.slice(0, at) + character + jwt.slice(at + 1);
        await expect(verify(changed)).rejects.toMatchObject({ code: 'grant_invalid' });
      }),
      { numRuns: 500 },
    );
  });

  it('is refused for each spelling of the last character, whose spare bits a decoder ignores', async () => {
    const jwt = await issueGrant(CONTENT, KEY);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    for (const last of alphabet.replace(jwt.slice(-1), '')) {
      await expect(verify(jwt.slice(0, -1) + last)).rejects.toMatchObject({
        code: 'grant_invalid',
      });
    }
  });

  it('is refused when cut short anywhere', async () => {
    const jwt = await issueGrant(CONTENT, KEY);
    for (let length = 0; length < jwt.length; length += 7) {
      await expect(verify(jwt.slice(0, length))).rejects.toMatchObject({ code: 'grant_invalid' });
    }
  });
});

describe('a token that is no grant', () => {
  const claims = withDigest(CONTENT);
  const publicPem = pair.publicKey.export({ format: 'pem', type: 'spki' });
  const jwk = pair.publicKey.export({ format: 'jwk' });
  const hmacInput = `${encode({ alg: 'HS256', kid: 'server', typ: 'vkit-grant' })}.${encode(claims)}`;
  const rawPublic = Buffer.from(jwk.x ?? '', 'base64url');

  it.each([
    ['of another typ', 'typ', () => sign(claims, { typ: 'vkit-ticket' }, pair.privateKey)],
    [
      'of a longer spelling of the typ',
      'typ',
      () => sign(claims, { typ: 'application/vkit-grant' }, pair.privateKey),
    ],
    ['without a typ', 'header', () => sign(claims, { typ: undefined }, pair.privateKey)],
    [
      'signed by another key under a trusted name',
      'signature',
      () => sign(claims, {}, other.privateKey),
    ],
    ['signed by an unknown key', 'key', () => sign(claims, { kid: 'stranger' }, other.privateKey)],
    ['without a key id', 'header', () => sign(claims, { kid: undefined }, pair.privateKey)],
    [
      'that brings its own key',
      'header',
      () => sign(claims, { jwk: other.publicKey.export({ format: 'jwk' }) }, other.privateKey),
    ],
    [
      'with a critical extension',
      'signature',
      () => sign(claims, { crit: ['x-limit'], 'x-limit': 1 }, pair.privateKey),
    ],
    [
      'signed by HMAC with the public PEM',
      'signature',
      () => `${hmacInput}.${createHmac('sha256', publicPem).update(hmacInput).digest('base64url')}`,
    ],
    [
      'signed by HMAC with the raw public key',
      'signature',
      () => `${hmacInput}.${createHmac('sha256', rawPublic).update(hmacInput).digest('base64url')}`,
    ],
    [
      'with alg none and no signature',
      'form',
      () => `${encode({ alg: 'none', kid: 'server', typ: 'vkit-grant' })}.${encode(claims)}.`,
    ],
    [
      'with alg none and some signature',
      'signature',
      () => `${encode({ alg: 'none', kid: 'server', typ: 'vkit-grant' })}.${encode(claims)}.AAAA`,
    ],
    ['of another issuer', 'issuer', () => issueGrant({ ...CONTENT, iss: 'vkit-else' }, KEY)],
    ['of another organisation', 'audience', () => issueGrant({ ...CONTENT, aud: 'acme' }, KEY)],
    ['of another requester', 'subject', () => issueGrant({ ...CONTENT, sub: 'usr_bob' }, KEY)],
    [
      'for another query',
      'query',
      () => issueGrant({ ...CONTENT, vkit: { ...CONTENT.vkit, aql_sha256: 'c'.repeat(64) } }, KEY),
    ],
    [
      'that is not yet valid',
      'not yet valid',
      () => issueGrant({ ...CONTENT, nbf: NOW_SECONDS + 61 }, KEY),
    ],
    [
      'issued in the future',
      'not yet valid',
      () => issueGrant({ ...CONTENT, iat: NOW_SECONDS + 61 }, KEY),
    ],
    [
      'that expires before it begins',
      'times',
      () => issueGrant({ ...CONTENT, exp: NOW_SECONDS }, KEY),
    ],
    [
      'whose digest is of other claims',
      'digest',
      () => sign({ ...claims, jti: 'gr_two' }, {}, pair.privateKey),
    ],
    ['without a digest', 'claims', () => sign({ ...CONTENT }, {}, pair.privateKey)],
    [
      'with an audience list',
      'claims',
      () => sign({ ...claims, aud: ['default'] }, {}, pair.privateKey),
    ],
    [
      'with a claim nobody knows',
      'claims',
      () => sign({ ...claims, admin: true }, {}, pair.privateKey),
    ],
    ['without an expiry', 'claims', () => sign({ ...claims, exp: undefined }, {}, pair.privateKey)],
    [
      'with a time that is no number',
      'claims',
      () => sign({ ...claims, nbf: '0' }, {}, pair.privateKey),
    ],
    [
      'of another operation',
      'claims',
      () =>
        sign(
          withDigest({
            ...CONTENT,
            vkit: { ...CONTENT.vkit, operations: ['delete'] as unknown as ['select'] },
          }),
          {},
          pair.privateKey,
        ),
    ],
    [
      'with a mask nobody knows',
      'claims',
      () =>
        sign(
          withDigest({
            ...CONTENT,
            vkit: { ...CONTENT.vkit, masks: { 'a.b': { method: 'none' as 'hash' } } },
          }),
          {},
          pair.privateKey,
        ),
    ],
    [
      'longer than any grant',
      'length',
      () => sign({ ...claims, jti: 'x'.repeat(70_000) }, {}, pair.privateKey),
    ],
    ['that is empty', 'form', () => ''],
    ['of two parts', 'form', () => 'aaaa.bbbb'],
    ['of four parts', 'form', async () => `${await issueGrant(CONTENT, KEY)}.AAAA`],
  ])('%s is refused without saying why', async (_name, reason, make) => {
    const refused = await verify(await make()).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'grant_invalid', message: 'The grant does not verify.' });
    expect((refused as VkitError).details).toBeUndefined();
    expect((refused as VkitError).cause).toMatchObject({ message: reason });
  });

  it('is refused when a private key stands among the trusted ones', async () => {
    const keys = new Map([['server', pair.privateKey]]);
    expect(createPublicKey(pair.privateKey).type).toBe('public');
    await expect(verify(await issueGrant(CONTENT, KEY), { keys })).rejects.toMatchObject({
      code: 'grant_invalid',
    });
  });
});

describe('a grant whose time has passed', () => {
  it('is expired once the leeway is over', async () => {
    const jwt = await issueGrant(CONTENT, KEY);
    await expect(verify(jwt, { now: NOW + 960_000 })).rejects.toMatchObject({
      code: 'grant_expired',
    });
    await expect(verify(jwt, { now: NOW + 900_000, leewaySeconds: 0 })).rejects.toMatchObject({
      code: 'grant_expired',
    });
  });

  it.each([
    ['another bundle', { checksum: 'd'.repeat(64), epoch: 3 }],
    ['the same bundle, activated again', { checksum: 'b'.repeat(64), epoch: 5 }],
  ])('is superseded by %s', async (_name, active) => {
    const jwt = await issueGrant(CONTENT, KEY);
    await expect(verify(jwt, { active })).rejects.toMatchObject({ code: 'bundle_superseded' });
  });
});

describe('a grant whose signature was verified before', () => {
  const { algorithms: _algorithms, ...options } = OPTIONS;

  it('is checked in everything else at every use', async () => {
    const jwt = await issueGrant(CONTENT, KEY);
    const verified = rememberVerified(OPTIONS.keys);
    const again = (change: Partial<VerifyGrantOptions> = {}) =>
      verifyGrant(jwt, { ...options, verified, ...change });
    await again();
    expect(verified.payloads.size).toBe(1);
    expect((await again()).jti).toBe('gr_one');
    const refused: [Partial<VerifyGrantOptions>, string][] = [
      [{ now: NOW + 3_600_000 }, 'grant_expired'],
      [{ active: { checksum: 'c'.repeat(64), epoch: 3 } }, 'bundle_superseded'],
      [{ requesterId: 'usr_eve' }, 'grant_invalid'],
      [{ aqlSha256: 'd'.repeat(64) }, 'grant_invalid'],
      [{ org: 'other' }, 'grant_invalid'],
      // Other keys trust nothing that these have verified.
      [{ keys: new Map([['server', other.publicKey]]) }, 'grant_invalid'],
    ];
    for (const [change, code] of refused)
      await expect(again(change)).rejects.toMatchObject({ code });
  });

  it('lends nothing to another', async () => {
    const jwt = await issueGrant(CONTENT, KEY);
    const verified = rememberVerified(OPTIONS.keys);
    await verifyGrant(jwt, { ...options, verified });
    const [header, payload, signature = ''] = jwt.split('.');
    const flipped = (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1);
    for (const forged of [`${header}.${payload}.${flipped}`, `${jwt}x`, `${header}.${payload}.`]) {
      const refused = verifyGrant(forged, { ...options, verified });
      await expect(refused).rejects.toMatchObject({ code: 'grant_invalid' });
    }
    expect(verified.payloads.size).toBe(1);
  });
});

describe('issuing', () => {
  it('refuses claims that no verifier would accept', async () => {
    const content = { ...CONTENT, exp: Number.NaN };
    await expect(issueGrant(content, KEY)).rejects.toThrow();
    await expect(issueGrant({ ...CONTENT, sub: '' }, KEY)).rejects.toMatchObject({
      code: 'internal',
    });
  });

  it('refuses a grant longer than a verifier reads', async () => {
    const entries = Array.from({ length: 2_000 }, (_, index) => [`t.${index}`, { method: 'hash' }]);
    const vkit = { ...CONTENT.vkit, masks: Object.fromEntries(entries) };
    await expect(issueGrant({ ...CONTENT, vkit }, KEY)).rejects.toMatchObject({
      code: 'limit_exceeded',
    });
  });

  it('refuses a key that grants are not signed with', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    await expect(issueGrant(CONTENT, { kid: 'x', privateKey })).rejects.toMatchObject({
      code: 'key_invalid',
    });
  });
});
