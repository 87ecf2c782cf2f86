import { createHmac, createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { openApp } from '../../src/app.js';
import { verifyChain } from '../../src/audit/verify-chain.js';
import { grantDigest } from '../../src/grants/grant-digest.js';
import type { GrantClaims } from '../../src/grants/model.js';
import { createServer } from '../../src/server/create-server.js';
import { auditKeysOfJwks } from '../../src/services/read-audit-keys.js';
import { hashToken } from '../../src/services/token-secrets.js';
import type { GrantRow, RequestRow } from '../../src/store/model.js';
import { randomId } from '../../src/util/random-id.js';
import { askGrant, fetchRows } from '../helpers/ask.js';
import { type Governed, governed } from '../helpers/governed.js';
import { shared } from '../helpers/shared.js';
import { sqliteShop } from '../helpers/shop.js';

const POLICIES = ['id: everybody_reads\nmatch: {dataset: customers}\naction: {allow: true}\n'];
const IDS = { source_table: 'customers', columns: ['id'] };
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

interface World {
  g: Governed;
  token: string;
  row: RequestRow;
  grant: GrantRow;
  claims: GrantClaims;
}

const world = shared<World>(async (atTheEnd) => {
  const g = await governed(await sqliteShop({}, atTheEnd), {}, atTheEnd);
  await g.deploy(POLICIES);
  const token = await g.user({ email: 'ana@acme.test' });
  const { store } = g.app.context;
  const grant = await store.grants.byId(await askGrant(g, token, IDS));
  const row = grant && (await store.requests.byId(grant.request_id));
  if (!grant || !row) throw new Error('It was just granted.');
  const [, payload = ''] = grant.jwt.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as GrantClaims;
  return { g, token, row, grant, claims };
});

type Change = Partial<Omit<GrantClaims, 'vkit'>> & { vkit?: Partial<GrantClaims['vkit']> };

/** The claims of a good grant in another form, with the digest that belongs to that. */
function changed({ claims }: World, id: string, { vkit, ...change }: Change = {}): GrantClaims {
  const { digest: _digest, ...body } = claims.vkit;
  const content = { ...claims, jti: id, ...change, vkit: { ...body, ...vkit } };
  return { ...content, vkit: { ...content.vkit, digest: grantDigest(content) } };
}

function sign(w: World, claims: GrantClaims, header: object = {}, key?: KeyObject) {
  const { grant } = w.g.app.context.keys;
  const full = { alg: 'EdDSA', kid: grant.kid, typ: 'vkit-grant', ...header };
  return new SignJWT({ ...claims })
    .setProtectedHeader(full)
    .sign(key ?? grant.privateKey, { crit: { 'x-limit': true } });
}

const STRANGER = generateKeyPairSync('ed25519').privateKey;
type Forge = (w: World, id: string) => string | Promise<string>;

const FORGED: Record<string, Forge> = {
  'with alg none': (w, id) => {
    const header = { alg: 'none', kid: w.g.app.context.keys.grant.kid, typ: 'vkit-grant' };
    return `${encode(header)}.${encode(changed(w, id))}.`;
  },
  'with alg none and the old signature': (w, id) => {
    const [, , signature] = w.grant.jwt.split('.');
    const header = { alg: 'none', kid: w.g.app.context.keys.grant.kid, typ: 'vkit-grant' };
    return `${encode(header)}.${encode(changed(w, id))}.${signature}`;
  },
  'signed by HS256 with the public key': (w, id) => {
    const { kid, publicKey } = w.g.app.context.keys.grant;
    const text = `${encode({ alg: 'HS256', kid, typ: 'vkit-grant' })}.${encode(changed(w, id))}`;
    const secret = publicKey.export({ format: 'pem', type: 'spki' });
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
  },
  'of another organisation': (w, id) => sign(w, changed(w, id, { aud: 'other' })),
  'of another issuer': (w, id) => sign(w, changed(w, id, { iss: 'other' })),
  'of another requester': (w, id) => sign(w, changed(w, id, { sub: 'usr_other' })),
  'for another query': (w, id) => sign(w, changed(w, id, { vkit: { aql_sha256: 'f'.repeat(64) } })),
  'with the id of another': (w) => w.grant.jwt,
  'that is not valid yet': (w, id) => {
    const nbf = w.claims.nbf + 600;
    return sign(w, changed(w, id, { iat: nbf, nbf, exp: nbf + 600 }));
  },
  'of an unknown key': (w, id) => sign(w, changed(w, id), { kid: 'unknown' }, STRANGER),
  'of another key under the same id': (w, id) => sign(w, changed(w, id), {}, STRANGER),
  'of the key that signs the log': (w, id) => {
    const { kid, privateKey } = w.g.app.context.keys.audit;
    return sign(w, changed(w, id), { kid }, privateKey);
  },
  'of another typ': (w, id) => sign(w, changed(w, id), { typ: 'vkit-ticket' }),
  'of no typ': (w, id) => sign(w, changed(w, id), { typ: undefined }),
  'with something critical that nobody knows': (w, id) =>
    sign(w, changed(w, id), { crit: ['x-limit'], 'x-limit': 1 }),
  'that brings its own key': (w, id) => sign(w, changed(w, id), { jwk: { kty: 'OKP' } }),
  'whose digest is of another': (w, id) => {
    const claims = changed(w, id);
    const body = { ...claims.vkit, max_rows: 1_000_000 };
    return sign(w, { ...claims, vkit: body });
  },
  'that is huge': async (w, id) => `${await sign(w, changed(w, id))}${'A'.repeat(2_000_000)}`,
  'that was cut short': async (w, id) => (await sign(w, changed(w, id))).slice(0, -10),
  'without its signature': async (w, id) =>
    (await sign(w, changed(w, id))).split('.').slice(0, 2).join('.'),
  'that is empty': () => '',
};

/** Puts a signed grant where the server finds it, as only somebody with the database could, and fetches by it. */
async function fetchBy(w: World, forge: Forge) {
  const { store } = w.g.app.context;
  const ids = { request: randomId('req'), grant: randomId('gr') };
  await store.requests.insert({ ...w.row, id: ids.request });
  const jwt = await forge(w, ids.grant);
  await store.grants.insert({ ...w.grant, id: ids.grant, request_id: ids.request, jwt });
  return fetchRows(w.g, w.token, ids.grant);
}

describe('a signed grant', () => {
  it('that is whole is taken', async () => {
    const w = world();
    const answer = await fetchBy(w, (_w, id) => sign(w, changed(w, id)));
    expect([answer.status, answer.body.rows?.length]).toEqual([200, 4]);
  });

  it.each(Object.keys(FORGED))(
    '%s is refused, and the answer does not say which of all',
    async (name) => {
      const w = world();
      const { status, body } = await fetchBy(w, FORGED[name] as Forge);
      expect({ status, body: { ...body, correlation_id: '' } }).toEqual({
        status: 403,
        body: { error: 'The grant does not verify.', type: 'grant_invalid', correlation_id: '' },
      });
    },
  );

  it('that has expired is gone, and one that was revoked stays so', async () => {
    const w = world();
    const past = await fetchBy(w, (_w, id) =>
      sign(w, changed(w, id, { iat: 1, nbf: 1, exp: w.claims.iat - 120 })),
    );
    expect(past).toMatchObject({ status: 410, body: { type: 'grant_expired' } });
    const ref = await askGrant(w.g, w.token, IDS);
    expect((await fetchRows(w.g, w.token, ref)).status).toBe(200);
    await w.g.call(w.token, 'POST', `/orgs/acme/grants/${ref}/revoke`, {});
    for (let time = 0; time < 2; time += 1) {
      const answer = await fetchRows(w.g, w.token, ref);
      expect(answer).toMatchObject({ status: 410, body: { type: 'grant_revoked' } });
    }
  });
});

describe('a bearer token', () => {
  /** Whatever is presented, the answer is one of two: no token at all, or one that is of no use. */
  const PRESENTED: Record<string, (w: World) => string | undefined> = {
    'that is not there': () => undefined,
    'of another scheme': () => `Basic ${Buffer.from('root@acme.test:x').toString('base64')}`,
    'that is empty': () => 'Bearer ',
    'that is huge': ({ token }) => `Bearer ${token}${'A'.repeat(8_000)}`,
    'cut short': ({ token }) => `Bearer ${token.slice(0, -1)}`,
    'with one more character': ({ token }) => `Bearer ${token}A`,
    'in other letters': ({ token }) => `Bearer ${token.toUpperCase()}`,
    'that is only its prefix': ({ token }) => `Bearer ${token.slice(0, 12)}`,
    'that is the hash in the database': ({ token }) => `Bearer ${hashToken(token)}`,
    'that is a signed grant': ({ grant }) => `Bearer ${grant.jwt}`,
    'that is the reference of a grant': ({ grant }) => `Bearer ${grant.id}`,
    'that says of itself who it is': () =>
      `Bearer ${encode({ alg: 'none' })}.${encode({ sub: 'root@acme.test', roles: ['admin'] })}.`,
    'with a second one': ({ token }) => `Bearer ${token}, Bearer ${token}`,
  };

  it.each(Object.keys(PRESENTED))('%s opens nothing', async (name) => {
    const w = world();
    const header = PRESENTED[name]?.(w);
    const response = await w.g.server.inject({
      method: 'GET',
      url: '/api/v1/whoami',
      headers: header === undefined ? {} : { authorization: header },
    });
    const body = { ...JSON.parse(response.body), correlation_id: '' };
    expect([response.statusCode, body]).toEqual([
      401,
      {
        error: expect.stringMatching(
          /^(This needs a bearer token|The token is missing, unknown, expired or revoked)\.$/,
        ),
        type: 'unauthenticated',
        hint: 'Log in with: vkit login',
        correlation_id: '',
      },
    ]);
  });

  it('is told the same whether it is unknown, revoked, expired or of a disabled account', async () => {
    const { g } = world();
    const tokens = { unknown: `vks_${'A'.repeat(43)}`, revoked: '', expired: '', disabled: '' };
    tokens.revoked = await g.user({ email: 'revoked@acme.test' });
    await g.call(tokens.revoked, 'POST', '/auth/logout', {});
    tokens.disabled = await g.user({ email: 'disabled@acme.test' });
    await g.call(g.admin, 'POST', '/orgs/acme/users/disabled%40acme.test/disable', {});
    tokens.expired = await g.agent({ name: 'short', ...{ expires_in_seconds: 1 } });
    g.clock.now += 2_000;
    const answers = await Promise.all(
      Object.values(tokens).map(async (token) => {
        const { status, body } = await g.call(token, 'GET', '/whoami');
        return JSON.stringify({ status, ...body, correlation_id: '' });
      }),
    );
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toContain('unauthenticated');
  });
});

describe('a new key of the server', () => {
  it('signs from then on, and what the old one signed still verifies, until that is taken away', async () => {
    const g = await governed(await sqliteShop());
    await g.deploy(POLICIES);
    const token = await g.user({ email: 'ana@acme.test' });
    const ref = await askGrant(g, token, IDS);
    const old = { grant: g.app.context.keys.grant.kid, audit: g.app.context.keys.audit.kid };
    await g.server.close();
    await g.app.close();
    const keys = join(g.config.data_dir, 'keys');
    for (const use of ['grant', 'audit']) {
      await rename(join(keys, `${use}_priv.pem`), join(keys, `${use}_2026.pem`));
      await writeFile(join(keys, `${use}_priv.pem`), newPem(), { mode: 0o600 });
    }
    // The public half is enough of the former one.
    const former = join(keys, 'audit_2026.pem');
    const { publicKey } = g.app.context.keys.audit;
    expect(createPrivateKey(await readFile(former)).asymmetricKeyType).toBe('ed25519');
    await writeFile(former, publicKey.export({ format: 'pem', type: 'spki' }));

    const restarted = async (work: (again: Governed) => Promise<void>) => {
      const options = {
        config: g.config,
        cwd: g.folder,
        variables: () => ({}),
        now: () => g.clock.now,
      };
      const app = await openApp(options);
      const settings = { version: '0.0.0', logLevel: 'silent', requestsPerMinuteMax: 1e6 } as const;
      const server = await createServer(app.context, { ...settings, jwks: app.jwks });
      const call: Governed['call'] = async <T>(
        bearer: string,
        method: string,
        path: string,
        body?: unknown,
      ) => {
        const response = await server.inject({
          method: method as 'POST',
          url: path.startsWith('/.') ? path : `/api/v1${path}`,
          headers: { authorization: `Bearer ${bearer}` },
          ...(body === undefined ? {} : { payload: body as object }),
        });
        return { status: response.statusCode, body: response.json() as T };
      };
      try {
        await work({ ...g, app, server, call });
      } finally {
        await server.close();
        await app.close();
      }
    };
    await restarted(async (again) => {
      expect((await fetchRows(again, token, ref)).status).toBe(200);
      const next = await again.app.context.store.grants.byId(await askGrant(again, token, IDS));
      const [header = ''] = next?.jwt.split('.') ?? [];
      expect(JSON.parse(Buffer.from(header, 'base64url').toString()).kid).not.toBe(old.grant);
      const { body: jwks } = await again.call<{ keys: { kid: string; d?: string }[] }>(
        '',
        'GET',
        '/.well-known/jwks.json',
      );
      expect(jwks.keys.map(({ kid }) => kid)).toEqual(expect.arrayContaining(Object.values(old)));
      expect(jwks.keys).toHaveLength(4);
      expect(jwks.keys.every(({ d }) => d === undefined)).toBe(true);
      const log = await again.app.context.store.audit.list({ order: 'asc', limit: 500 });
      const verdict = await verifyChain(log, { keys: await auditKeysOfJwks(jwks) });
      expect(verdict).toMatchObject({ ok: true, count: log.length });
      const without = { keys: jwks.keys.filter(({ kid }) => kid !== old.audit) };
      const cut = await verifyChain(log, { keys: await auditKeysOfJwks(without) });
      expect(cut).toMatchObject({ ok: false });
    });
    await rm(join(keys, 'grant_2026.pem'));
    await restarted(async (again) => {
      expect(await fetchRows(again, token, ref)).toMatchObject({
        status: 403,
        body: { type: 'grant_invalid' },
      });
    });
    await writeFile(join(keys, 'grant_notes.pem'), 'nothing');
    await expect(restarted(async () => {})).rejects.toMatchObject({ code: 'key_invalid' });
  });
});

function newPem(): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}
