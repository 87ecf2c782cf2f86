import { createHmac, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, type JWTHeaderParameters, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { attributesFromClaims } from '../../src/services/oidc-claims.js';
import { createOidcProvider, type OidcSettings } from '../../src/services/oidc-provider.js';
import { shared } from '../helpers/shared.js';

const SECRETS = { state: 's'.repeat(43), nonce: 'n'.repeat(43), verifier: 'v'.repeat(43) };
const EMAIL = { email: 'ada@acme.test', email_verified: true };

/** A provider that answers with whatever ID token a test makes. */
const world = shared(async (atTheEnd) => {
  const key = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const publicKey = { ...(await exportJWK(key.publicKey)), kid: 'k', use: 'sig', alg: 'RS256' };
  const now = { token: '' };
  const server = createServer((request, response) => {
    const answers: Record<string, object> = {
      '/.well-known/openid-configuration': {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256', 'none', 'HS256', 'PS256'],
      },
      '/jwks': { keys: [publicKey] },
      '/token': { access_token: 'a', token_type: 'Bearer', id_token: now.token },
    };
    const answer = answers[request.url ?? ''];
    response.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  atTheEnd(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const settings: OidcSettings = {
    issuer,
    clientId: 'vkit',
    clientSecret: 'secret',
    serverUrl: 'https://vkit.example.com',
    scopes: ['openid'],
    algorithm: 'RS256',
    users: 'create',
    emailClaim: 'email',
    claims: {},
  };
  return { key, stranger, publicKey, now, issuer, settings };
});

type World = ReturnType<typeof world>;
type Claims = Record<string, unknown>;

function claims({ issuer }: World, change: Claims = {}): Claims {
  const at = Math.floor(Date.now() / 1000);
  const times = { iat: at, exp: at + 300 };
  return {
    iss: issuer,
    aud: 'vkit',
    sub: '1',
    nonce: SECRETS.nonce,
    ...times,
    ...EMAIL,
    ...change,
  };
}

function signed(w: World, change: Claims = {}, header: Partial<JWTHeaderParameters> = {}) {
  const parts = { alg: 'RS256', kid: 'k', ...header };
  return new SignJWT(claims(w, change)).setProtectedHeader(parts).sign(w.key.privateKey);
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** What comes of an answer of the provider with this ID token. */
function finish(w: World, token: string, query: Record<string, string> = {}) {
  w.now.token = token;
  const answer = new URLSearchParams({ code: 'c', state: SECRETS.state, ...query });
  return createOidcProvider(w.settings).finish(answer, SECRETS);
}

describe('an ID token', () => {
  it('that is as it should be says who somebody is', async () => {
    const w = world();
    expect(await finish(w, await signed(w))).toEqual({
      subject: JSON.stringify([w.issuer, '1']),
      email: 'ada@acme.test',
      attributes: {},
    });
  });

  const FORGED: Record<string, (w: World) => string | Promise<string>> = {
    'that nobody signed': (w) => `${encode({ alg: 'none' })}.${encode(claims(w))}.`,
    'that is signed with the public key as a secret': (w) => {
      const text = `${encode({ alg: 'HS256', kid: 'k' })}.${encode(claims(w))}`;
      const secret = w.key.publicKey.export({ format: 'pem', type: 'spki' });
      return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
    },
    'that is signed with the secret of the client': (w) => {
      const text = `${encode({ alg: 'HS256' })}.${encode(claims(w))}`;
      return `${text}.${createHmac('sha256', 'secret').update(text).digest('base64url')}`;
    },
    'by another algorithm than the one that is configured': (w) => signed(w, {}, { alg: 'PS256' }),
    'of another key under the same name': (w) =>
      new SignJWT(claims(w))
        .setProtectedHeader({ alg: 'RS256', kid: 'k' })
        .sign(w.stranger.privateKey),
    'of another issuer': (w) => signed(w, { iss: 'https://idp.example.com' }),
    'for another client': (w) => signed(w, { aud: 'other' }),
    'for several clients, authorised for another': (w) =>
      signed(w, { aud: ['vkit', 'other'], azp: 'other' }),
    'of another login': (w) => signed(w, { nonce: 'x'.repeat(43) }),
    'without a nonce': (w) => signed(w, { nonce: undefined }),
    'that has expired': (w) => signed(w, { exp: Math.floor(Date.now() / 1000) - 120 }),
    'that does not expire': (w) => signed(w, { exp: undefined }),
    'without a subject': (w) => signed(w, { sub: undefined }),
    'that is no token': () => 'x.y.z',
    'that is not there': () => '',
  };

  it.each(Object.keys(FORGED))('%s is refused', async (name) => {
    const w = world();
    const token = await (FORGED[name] as (w: World) => string | Promise<string>)(w);
    await expect(finish(w, token)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('beside another state, or of another issuer by the address, is refused', async () => {
    const w = world();
    const token = await signed(w);
    await expect(finish(w, token, { state: 'x'.repeat(43) })).rejects.toMatchObject({
      code: 'unauthenticated',
    });
    await expect(finish(w, token, { iss: 'https://idp.example.com' })).rejects.toMatchObject({
      code: 'unauthenticated',
    });
  });

  it.each([
    [{ email_verified: false }],
    [{ email_verified: 1 }],
    [{ email: 'a b@c' }],
    [{ email: 7 }],
  ])('with %o has no address', async (change) => {
    const w = world();
    expect((await finish(w, await signed(w, change))).email).toBeNull();
  });
});

describe('a provider', () => {
  it.each([
    ['http://idp.example.com', 'oidc.issuer'],
    ['http://127.0.0.1.example.com', 'oidc.issuer'],
    ['https://user:password@idp.example.com', 'oidc.issuer'],
    ['ftp://127.0.0.1', 'oidc.issuer'],
    ['none', 'oidc.issuer'],
  ])('at %s is refused at the start', (issuer, key) => {
    const settings = { ...world().settings, issuer };
    expect(() => createOidcProvider(settings)).toThrow(
      expect.objectContaining({ code: 'config_invalid', details: { key } }),
    );
  });

  it('that says it is another, or that does not answer, is unavailable, and asked again later', async () => {
    const w = world();
    const other = w.settings.issuer.replace('127.0.0.1', 'localhost');
    for (const issuer of [other, 'http://127.0.0.1:1']) {
      const provider = createOidcProvider({ ...w.settings, issuer });
      await expect(provider.begin(SECRETS)).rejects.toMatchObject({ code: 'unavailable' });
      await expect(provider.begin(SECRETS)).rejects.toMatchObject({ code: 'unavailable' });
    }
  });

  it('is asked with state, nonce and the hash of the verifier, and never with the verifier', async () => {
    const url = await createOidcProvider(world().settings).begin(SECRETS);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      response_type: 'code',
      redirect_uri: 'https://vkit.example.com/api/v1/auth/cli/callback',
      state: SECRETS.state,
      nonce: SECRETS.nonce,
      code_challenge_method: 'S256',
    });
    expect(url.href).not.toContain(SECRETS.verifier);
    expect(url.href).not.toContain('secret');
  });
});

describe('claims', () => {
  const map = { a: 'analyst', b: ['finance', 'hr'] };
  it.each([
    ['a group that the table has', { groups: ['a'] }, ['analyst']],
    ['several roles for one group', { groups: ['b', 'a'] }, ['analyst', 'finance', 'hr']],
    ['one group as a text', { groups: 'a' }, ['analyst']],
    [
      'groups that the table does not have',
      { groups: ['admin', 'A', '__proto__', 'toString'] },
      [],
    ],
    ['no claim', {}, []],
    ['something else', { groups: { a: true } }, []],
    ['things that are no texts', { groups: [null, {}, true, ['a']] }, []],
  ])('with %s', (_what, said, roles) => {
    expect(attributesFromClaims(said, { roles: { claim: 'groups', map } })).toEqual({ roles });
  });

  it('may lie inside others, and pass as they are where no table is given', () => {
    const said = { 'a.b': 'EU', realm: { access: { uses: ['support', '<x>'] } }, level: 3 };
    const mappings = {
      region: { claim: 'a.b' },
      purposes: { claim: 'realm.access.uses' },
      clearance: { claim: 'level' },
    };
    expect(attributesFromClaims(said, mappings)).toEqual({
      region: 'EU',
      purposes: ['support'],
      clearance: 3,
    });
    expect(attributesFromClaims({}, mappings)).toEqual({
      region: null,
      purposes: [],
      clearance: null,
    });
    expect(attributesFromClaims({ 'a.b': ['EU', 'US'] }, { region: { claim: 'a.b' } })).toEqual({
      region: null,
    });
  });
});
