import { createPublicKey } from 'node:crypto';
import { CompactSign } from 'jose';
import { describe, expect, it } from 'vitest';
import { signatureInput } from '../../src/bundle/canonicalise.js';
import type { Bundle } from '../../src/bundle/model.js';
import { BUNDLE_TYP, keyId, signBundle } from '../../src/bundle/sign-bundle.js';
import type { RequestAnswer, ShownBundle } from '../../src/client/wire.js';
import { REFUSAL_HELD_MS } from '../../src/services/control/active-bundle.js';
import { loadIdentity } from '../../src/services/control/identity.js';
import { judge } from '../../src/services/control/judge.js';
import { type BundleWorld, bundleWorld, expectRefusal, type Pair } from './bundle-world.js';

const IDS = { source_table: 'customers', columns: ['id'] };

/** Asks as somebody and gives what was answered. */
async function ask(w: BundleWorld, token: string): Promise<RequestAnswer> {
  return (await w.call<RequestAnswer>(token, 'POST', '/orgs/acme/requests', { aql: IDS })).body;
}

/** The status and the type of a fetch. */
async function fetched(w: BundleWorld, token: string, ref: string | undefined) {
  const path = `/orgs/acme/grants/${ref}/fetch`;
  const { status, body } = await w.call<{ type?: string }>(token, 'POST', path, {});
  return [status, body.type];
}

describe('the lifecycle of a bundle', () => {
  it('has one version active, raises the epoch with each activation, and is on record', async () => {
    const w = await bundleWorld();
    const [one, two] = [await w.bundle({ sequence: 1 }), await w.bundle({ sequence: 2 })];
    expect(await w.deploy(one)).toMatchObject({
      status: 201,
      body: { version: 'v1', state: 'active', epoch: 1, created: true },
    });
    expect(await w.deploy(two, false)).toMatchObject({
      status: 201,
      body: { version: 'v2', state: 'uploaded', epoch: 1, activated_at: null },
    });
    expect(await w.states()).toEqual(['v2 uploaded', 'v1 active']);
    expect(await w.post('v2/activate')).toMatchObject({
      status: 200,
      body: { state: 'active', epoch: 2 },
    });
    expect(await w.states()).toEqual(['v2 active', 'v1 superseded']);
    expect(await w.post('1/rollback', { reason: 'v2 is wrong' })).toMatchObject({
      status: 200,
      body: { version: 'v1', state: 'active', epoch: 3, reason: 'v2 is wrong' },
    });
    expect(await w.post('v1/revoke', { reason: 'so is v1' })).toMatchObject({
      status: 200,
      body: { state: 'revoked', epoch: 4 },
    });
    expect(await w.states()).toEqual(['v2 superseded', 'v1 revoked']);
    const told = (await w.steps()).map(({ event, metadata }) => [
      event,
      metadata?.bundle,
      metadata?.bundle_checksum,
      metadata?.reason,
    ]);
    const [first, second] = [one.bundle.checksum, two.bundle.checksum];
    expect(told).toEqual([
      ['bundle.deployed', 'v1', first, undefined],
      ['bundle.activated', 'v1', first, undefined],
      ['bundle.deployed', 'v2', second, undefined],
      ['bundle.activated', 'v2', second, undefined],
      ['bundle.rolled_back', 'v1', first, 'v2 is wrong'],
      ['bundle.revoked', 'v1', first, 'so is v1'],
    ]);
  });

  it('takes the same bytes again for what is there, in every state, and changes nothing', async () => {
    const w = await bundleWorld();
    const [one, two] = [await w.bundle({ sequence: 1 }), await w.bundle({ sequence: 2 })];
    const again = async (bundle: Bundle, activate: boolean, state: string) => {
      const before = [await w.list(), await w.epoch(), (await w.steps()).length];
      const { status, body } = await w.deploy(bundle, activate);
      const { checksum } = bundle.bundle;
      expect([status, body]).toEqual([200, expect.objectContaining({ state, checksum })]);
      expect(body.created).toBe(false);
      expect([await w.list(), await w.epoch(), (await w.steps()).length]).toEqual(before);
      return body.version;
    };
    await w.deploy(one);
    expect(await again(one, true, 'active')).toBe('v1');
    await w.deploy(two, false);
    expect(await again(two, false, 'uploaded')).toBe('v2');
    await w.post('v2/activate');
    expect(await again(one, true, 'superseded')).toBe('v1');
    await w.post('v1/revoke', { reason: 'bad' });
    expect(await again(one, true, 'revoked')).toBe('v1');
    // Nothing was refused but the last: somebody tried to bring back what is blocked for ever.
    expect((await w.refusals()).map(({ policy_evaluation: p }) => p?.type)).toEqual([
      'bundle_revoked',
    ]);
  });

  it('makes one version of the same bytes that come twice at once', async () => {
    const w = await bundleWorld();
    const bundle = await w.bundle({ sequence: 1 });
    const answers = await Promise.all(Array.from({ length: 5 }, () => w.deploy(bundle)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 201]);
    expect(new Set(answers.map(({ body }) => body.version))).toEqual(new Set(['v1']));
    expect([await w.states(), await w.epoch()]).toEqual([['v1 active'], 1]);
  });

  it('leaves exactly one active when several are activated at once', async () => {
    const w = await bundleWorld();
    for (let index = 0; index < 4; index += 1) {
      await w.deploy(await w.bundle({ sequence: 5, bundle_version: `commit-${index}` }), false);
    }
    const steps = ['v1/activate', 'v2/activate', 'v3/rollback', 'v4/activate', 'v2/rollback'];
    const answers = await Promise.all(
      steps.map((path) => w.post(path, path.endsWith('rollback') ? { reason: 'race' } : {})),
    );
    expect(answers.every(({ status }) => status === 200 || status === 409)).toBe(true);
    const active = (await w.states()).filter((text) => text.endsWith(' active'));
    expect(active).toHaveLength(1);
    const activations = (await w.steps()).filter(({ event }) =>
      ['bundle.activated', 'bundle.rolled_back'].includes(event),
    );
    expect(await w.epoch()).toBe(activations.length);
    expect(active).toEqual([`${activations.at(-1)?.metadata?.bundle} active`]);
  });

  it('keeps what was active when a deployment fails half-way', async () => {
    const w = await bundleWorld();
    await w.deploy(await w.bundle({ sequence: 1 }));
    const { store } = w.app().context;
    const { transaction } = store;
    store.transaction = (work) =>
      transaction.call(store, (tx) =>
        work({
          ...tx,
          audit: {
            ...tx.audit,
            append: (event) =>
              event.event === 'bundle.activated'
                ? Promise.reject(new Error('the disk is full'))
                : tx.audit.append(event),
          },
        }),
      ) as never;
    expect((await w.deploy(await w.bundle({ sequence: 2 }))).status).toBe(500);
    store.transaction = transaction;
    expect([await w.states(), await w.epoch()]).toEqual([['v1 active'], 1]);
    expect((await w.steps()).map(({ event }) => event)).toEqual([
      'bundle.deployed',
      'bundle.activated',
    ]);
  });
});

describe('a revoked bundle', () => {
  it('never comes back: not by activation, rollback, deployment or a restart', async () => {
    const w = await bundleWorld();
    const bundle = await w.bundle({ sequence: 1 });
    await w.deploy(bundle);
    await w.post('v1/revoke', { reason: 'too open' });
    await w.restart();
    const attempts = { 'v1/activate': {}, 'v1/rollback': { reason: 'please' } };
    for (const [path, body] of Object.entries(attempts)) {
      await expectRefusal(w, [410, 'bundle_revoked'], () => w.post(path, body), { bundle: 'v1' });
    }
    expect((await w.deploy(bundle)).body).toMatchObject({ version: 'v1', state: 'revoked' });
    const token = w.g.admin;
    expect(await ask(w, token)).toMatchObject({ status: 'denied', type: 'no_active_bundle' });
  });
});

describe('a reason', () => {
  it('that is blank is none, for a rollback and a revocation', async () => {
    const w = await bundleWorld();
    await w.deploy(await w.bundle({ sequence: 1 }));
    await w.deploy(await w.bundle({ sequence: 2 }));
    for (const step of ['v1/rollback', 'v1/revoke']) {
      for (const reason of ['', ' ', '\t\n\u00a0']) {
        expect((await w.post(step, { reason })).status, step).toBe(400);
      }
    }
    expect((await w.list()).map(({ state }) => state).sort()).toEqual(['active', 'superseded']);
  });
});

describe('a grant', () => {
  it('of another epoch is refused by both planes; a rollback revives none', async () => {
    const w = await bundleWorld();
    const token = await w.g.user({ email: 'ana@acme.test' });
    await w.deploy(await w.bundle({ sequence: 1 }));
    const { grant_ref: ref } = await ask(w, token);
    expect(await fetched(w, token, ref)).toEqual([200, undefined]);
    await w.deploy(await w.bundle({ sequence: 2 }));
    expect(await fetched(w, token, ref)).toEqual([410, 'bundle_superseded']);
    await w.post('v1/rollback', { reason: 'v2 is wrong' });
    expect(await fetched(w, token, ref)).toEqual([410, 'bundle_superseded']);

    // The data plane by itself, under the very bundle the grant was made under.
    const { context } = w.app();
    const grant = await context.store.grants.byId(ref ?? '');
    const row = grant && (await context.store.requests.byId(grant.request_id));
    const active = await context.activeBundle(context.store);
    const identity = row && (await loadIdentity(context.store, 'user', row.requester_id, 0));
    if (!grant || !row || !active || !identity) throw new Error('They were just made.');
    expect(active.checksum).toBe(grant.bundle_checksum);
    const question = { aql: row.aql, narrowing: {}, purpose: null, at: w.g.clock.now };
    const executed = context.dataPlane.execute({
      jwt: grant.jwt,
      grantId: grant.id,
      requesterId: identity.id,
      aql: row.aql,
      active,
      judgement: judge(active, identity, question),
      signal: new AbortController().signal,
    });
    await expect(executed).rejects.toMatchObject({ code: 'bundle_superseded' });

    await w.post('v1/revoke', { reason: 'bad' });
    expect(await fetched(w, token, ref)).toEqual([410, 'bundle_revoked']);
  });
});

describe('the sequence', () => {
  it('never falls below the highest that was active, but by a rollback', async () => {
    const w = await bundleWorld();
    const at = (sequence: number, bundle_version = `commit-${sequence}`) =>
      w.bundle({ sequence, bundle_version });
    const low = [409, 'sequence_too_low'] as [number, string];
    await w.deploy(await at(5));
    await w.deploy(await at(7));
    const six = await at(6);
    const claims = { action: 'deploy', bundle_checksum: six.bundle.checksum };
    await expectRefusal(w, low, () => w.deploy(six), claims);
    // Nothing was stored, so the way back begins with an upload.
    const way = /deploy --no-activate && vkit policy rollback --to v3/;
    expect((await w.deploy(six)).body).toMatchObject({
      hint: expect.stringMatching(way),
    });
    expect((await w.deploy(await at(7, 'another'))).body).toMatchObject({ state: 'active' });

    // A rollback goes below it, and does not lower it.
    expect((await w.post('v1/rollback', { reason: 'back' })).body).toMatchObject({ sequence: 5 });
    await expectRefusal(w, low, () => w.deploy(six));
    // Stored without being activated it still is not activated later.
    expect((await w.deploy(six, false)).body).toMatchObject({ version: 'v4', state: 'uploaded' });
    await expectRefusal(w, low, () => w.post('v4/activate'), { action: 'activate', bundle: 'v4' });
    // The same bytes again, now with activation.
    await expectRefusal(w, low, () => w.deploy(six));

    // Neither the revocation of those that had it nor a restart lowers it.
    await w.post('v2/revoke', { reason: 'bad' });
    await w.post('v3/revoke', { reason: 'bad' });
    await w.post('v1/revoke', { reason: 'bad' });
    await w.restart();
    await expectRefusal(w, low, () => w.post('v4/activate'));
    expect((await w.post('v4/rollback', { reason: 'on purpose' })).body.state).toBe('active');
  });
});

/** A bundle with a JWS of another header over it. */
async function signedWith(bundle: Bundle, key: Pair, header: object): Promise<Bundle> {
  const payload = new TextEncoder().encode(signatureInput(bundle));
  const kid = await keyId(key.publicKey);
  const jws = await new CompactSign(payload)
    .setProtectedHeader({ alg: 'EdDSA', kid, typ: BUNDLE_TYP, ...header })
    .sign(key.privateKey);
  const [head, , signature] = jws.split('.');
  const signing = { alg: 'EdDSA', key_id: kid, signature: `${head}..${signature}` } as const;
  return { ...bundle, signing };
}

/** The header put over a signature that was made for another one. */
function withHeader(bundle: Bundle, header: object): Bundle {
  if (bundle.signing === null) throw new Error('It is signed.');
  const head = Buffer.from(JSON.stringify(header)).toString('base64url');
  const signature = `${head}..${bundle.signing.signature.split('.')[2]}`;
  return { ...bundle, signing: { ...bundle.signing, signature } };
}

type Refused = (w: BundleWorld) => Promise<unknown>;
const own = (name: 'grant' | 'audit') => (w: BundleWorld) =>
  w.bundle({}, w.app().context.keys[name]);

/** What no deployment may bring in: the code, and the document. */
const REFUSED: Record<string, [code: string, document: Refused]> = {
  'past its expiry': ['bundle_expired', (w) => w.bundle({ expires_at: '2026-03-02T09:59:59Z' })],
  'from uncommitted changes': [
    'bundle_dirty',
    async (w) => {
      const { source } = (await w.bundle()).bundle;
      return w.bundle({ source: { ...source, dirty: true } });
    },
  ],
  'of another organisation': ['bundle_org', (w) => w.bundle({ org_slug: 'other' })],
  'with one byte changed': [
    'bundle_checksum',
    async (w) => {
      const bundle = await w.bundle();
      return { ...bundle, bundle: { ...bundle.bundle, sequence: 999 } };
    },
  ],
  'with its checksum filled in anew after a change': [
    'bundle_signature',
    async (w) => ({
      ...(await w.bundle({ sequence: 999 }, null)),
      signing: (await w.bundle()).signing,
    }),
  ],
  unsigned: ['bundle_signature', (w) => w.bundle({}, null)],
  'signed by a stranger': ['bundle_signature', (w) => w.bundle({}, w.stranger)],
  "signed by the server's grant key": ['bundle_signature', own('grant')],
  "signed by the server's audit key": ['bundle_signature', own('audit')],
  'signed by a trusted key as a grant': [
    'bundle_signature',
    async (w) => signedWith(await w.bundle(), w.first, { typ: 'vkit-grant' }),
  ],
  'signed by a stranger under the id of a trusted key': [
    'bundle_signature',
    async (w) => {
      const kid = await keyId(w.first.publicKey);
      const forged = await signedWith(await w.bundle(), w.stranger, { kid });
      return { ...forged, signing: { ...forged.signing, key_id: kid } };
    },
  ],
  'whose header says none': [
    'bundle_signature',
    async (w) => {
      const kid = await keyId(w.first.publicKey);
      return withHeader(await w.bundle(), { alg: 'none', kid, typ: BUNDLE_TYP });
    },
  ],
  'whose header says HS256': [
    'bundle_signature',
    async (w) => {
      const kid = await keyId(w.first.publicKey);
      return withHeader(await w.bundle(), { alg: 'HS256', kid, typ: BUNDLE_TYP });
    },
  ],
  'that claims an algorithm its key does not have': [
    'bundle_signature',
    async (w) => {
      const bundle = await w.bundle();
      return { ...bundle, signing: { ...bundle.signing, alg: 'RS256' } };
    },
  ],
  'that claims an algorithm no bundle has': [
    'bundle_invalid',
    async (w) => {
      const bundle = await w.bundle();
      return { ...bundle, signing: { ...bundle.signing, alg: 'none' } };
    },
  ],
  'that is no bundle': ['bundle_invalid', async () => ({ bundle: {} })],
};

describe('a bundle', () => {
  it.each(Object.keys(REFUSED))('%s is refused, stores nothing, and is on record', async (name) => {
    const w = await bundleWorld();
    await w.deploy(await w.bundle({ bundle_version: 'good' }));
    const [code, make] = REFUSED[name] as (typeof REFUSED)[string];
    const document = (await make(w)) as Partial<Bundle>;
    const recorded =
      code === 'bundle_invalid' ? {} : { bundle_checksum: document.bundle?.checksum };
    for (const activate of [true, false]) {
      const expected = { action: 'deploy', ...recorded };
      await expectRefusal(w, [400, code], () => w.deploy(document, activate), expected);
    }
  });

  it('that expires is not activated afterwards, and ends while it is active', async () => {
    const w = await bundleWorld();
    const token = await w.g.user({ email: 'ana@acme.test' });
    const expires_at = new Date(w.g.clock.now + 60_000).toISOString();
    await w.deploy(await w.bundle({ sequence: 1, expires_at }));
    await w.deploy(await w.bundle({ sequence: 2, expires_at }), false);
    const { grant_ref: ref } = await ask(w, token);
    w.g.clock.now += 59_999;
    expect(await fetched(w, token, ref)).toEqual([200, undefined]);
    w.g.clock.now += 1;
    expect(await fetched(w, token, ref)).toEqual([410, 'bundle_superseded']);
    expect(await ask(w, token)).toMatchObject({ status: 'denied', type: 'no_active_bundle' });
    await expectRefusal(w, [400, 'bundle_expired'], () => w.post('v2/activate'), { bundle: 'v2' });
    const back = () => w.post('v2/rollback', { reason: 'it was good' });
    await expectRefusal(w, [400, 'bundle_expired'], back, { reason: 'it was good' });
    // The active one is not served either, so nobody is told that all is well with it.
    await expectRefusal(w, [400, 'bundle_expired'], () => w.post('v1/activate'), { bundle: 'v1' });
    expect((await w.deploy(await w.bundle({ sequence: 3 }))).body.state).toBe('active');
    expect(await ask(w, token)).toMatchObject({ status: 'granted' });
  });
});

describe('the keys that may sign bundles', () => {
  it('rotate with an overlap, and no longer count once they are gone', async () => {
    const w = await bundleWorld();
    await w.deploy(await w.bundle({ sequence: 1 }));
    await w.trust('second', w.second.publicKey);
    expect((await w.deploy(await w.bundle({ sequence: 2 }, w.second))).status).toBe(201);
    expect((await w.deploy(await w.bundle({ sequence: 3 }))).status).toBe(201);
    await w.deploy(await w.bundle({ sequence: 4 }), false);
    await w.deploy(await w.bundle({ sequence: 5 }, w.second));

    await w.trust('first', null);
    const bundle = await w.bundle({ sequence: 6 });
    await expectRefusal(w, [400, 'bundle_signature'], () => w.deploy(bundle));
    // Nor is what was uploaded while it was trusted.
    const gone = [400, 'bundle_signature'] as [number, string];
    await expectRefusal(w, gone, () => w.post('v4/activate'), { action: 'activate' });
    const back = () => w.post('v3/rollback', { reason: 'v5 is wrong' });
    await expectRefusal(w, gone, back, { action: 'rollback', reason: 'v5 is wrong' });
    expect((await w.post('v2/rollback', { reason: 'by the other key' })).status).toBe(200);
  });

  it('decide at the next start whether the active bundle is served, and say so', async () => {
    const w = await bundleWorld();
    const token = await w.g.user({ email: 'ana@acme.test' });
    const bundle = await w.bundle({ sequence: 1 });
    await w.deploy(bundle);
    const { grant_ref: ref } = await ask(w, token);
    await w.trust('second', w.second.publicKey);
    await w.trust('first', null);
    expect(await fetched(w, token, ref)).toEqual([200, undefined]);

    await w.restart();
    expect(w.app().notServed).toMatch(/^The active bundle v1 is not served: No trusted key/);
    expect(await ask(w, token)).toMatchObject({ status: 'denied', type: 'no_active_bundle' });
    expect(await fetched(w, token, ref)).toEqual([410, 'bundle_superseded']);
    const shown = async () =>
      (await w.call<ShownBundle>(w.g.admin, 'GET', '/orgs/acme/policy_bundles/active')).body;
    expect(await shown()).toMatchObject({ refusal: { type: 'bundle_signature' } });

    // The same content, signed by a key that is trusted, is the same version, and is served again.
    const signed = await signBundle(bundle, w.second.privateKey, w.second.publicKey);
    const key_id = await keyId(w.second.publicKey);
    expect(await w.deploy(signed)).toMatchObject({
      status: 200,
      body: { version: 'v1', state: 'active', created: false, resigned: true, epoch: 1, key_id },
    });
    expect((await w.steps()).at(-1)).toMatchObject({
      event: 'bundle.resigned',
      metadata: { bundle: 'v1', key_id, former_key_id: await keyId(w.first.publicKey) },
    });
    w.g.clock.now += REFUSAL_HELD_MS;
    expect(await fetched(w, token, ref)).toEqual([200, undefined]);
    expect(await shown()).toMatchObject({ refusal: null, bundle: signed });
    await w.restart();
    expect([w.app().notServed, await fetched(w, token, ref)]).toEqual([null, [200, undefined]]);
  });

  it.each(['grant', 'audit'] as const)("are never the server's own %s key", async (name) => {
    const w = await bundleWorld();
    const bundle = await w.bundle({ bundle_version: 'good' });
    await w.deploy(bundle);
    const key = w.app().context.keys[name];
    await w.trust('second', createPublicKey(key.privateKey));
    const forged = await w.bundle({ sequence: 9 }, key);
    await expectRefusal(w, [400, 'key_invalid'], () => w.deploy(forged));
    await expect(w.restart()).rejects.toMatchObject({
      code: 'key_invalid',
      message: expect.stringContaining('key of the server itself'),
    });
  });

  it('do not make up for a stored document that was exchanged', async () => {
    const w = await bundleWorld();
    await w.deploy(await w.bundle({ sequence: 1 }));
    await w.deploy(await w.bundle({ sequence: 2 }));
    const { store } = w.app().context;
    // Signed just as well, and once active: only it is not what is recorded as active.
    const document = (await store.bundles.document(1)) ?? '';
    await store.bundles.resign(2, { document, key_id: null });
    await w.restart();
    expect(w.app().notServed).toContain('is not what was uploaded');
    const answer = await w.call(w.g.admin, 'POST', '/orgs/acme/requests', { aql: IDS });
    expect([answer.status, answer.body.type]).toEqual([503, 'unavailable']);
  });
});

describe('reading bundles', () => {
  const get = <T = ShownBundle>(w: BundleWorld, token: string, path: string) =>
    w.call<T>(token, 'GET', `/orgs/acme/policy_bundles${path}`);

  it('shows a version with its document as it was uploaded', async () => {
    const w = await bundleWorld();
    expect((await get(w, w.g.admin, '/active')).status).toBe(404);
    const one = await w.bundle({ sequence: 1, expires_at: '2027-01-01T00:00:00Z' });
    await w.deploy(one);
    await w.deploy(await w.bundle({ sequence: 2 }));
    const { status, body } = await get(w, w.g.admin, '/1');
    expect([status, body]).toEqual([
      200,
      expect.objectContaining({
        version: 'v1',
        state: 'superseded',
        expires_at: '2027-01-01T00:00:00Z',
        key_id: one.signing?.key_id,
        uploaded_by_email: 'root@acme.test',
        activated_by_email: 'root@acme.test',
        refusal: null,
      }),
    ]);
    expect(body.bundle).toEqual(one);
    expect((await get(w, w.g.admin, '/v1')).body).toMatchObject({ version: 'v1' });
    expect((await get(w, w.g.admin, '/active')).body).toMatchObject({ version: 'v2' });
    for (const path of ['/v3', '/0', '/v01', '/latest']) {
      expect((await get(w, w.g.admin, path)).status).toBe(404);
    }
  });

  it('is for those who answer for the policies; auditors see what a record names', async () => {
    const w = await bundleWorld();
    await w.deploy(await w.bundle());
    const may = async (roles: string[]) => {
      const token = await w.g.user({ email: `${roles.join('.')}@acme.test`, roles });
      const answers = [
        await get(w, token, ''),
        await get(w, token, '/active'),
        await w.call(token, 'POST', '/orgs/acme/policy_bundles/v1/activate', {}),
      ];
      return answers.map(({ status }) => status);
    };
    expect(await may(['policy_admin'])).toEqual([200, 200, 200]);
    expect(await may(['auditor'])).toEqual([403, 200, 403]);
    expect(await may(['user_admin', 'analyst'])).toEqual([403, 403, 403]);
    const agent = await w.g.agent({ name: 'bot', roles: ['policy_admin', 'auditor'] });
    expect(await get(w, agent, '/active')).toMatchObject({
      status: 403,
      body: { error: expect.stringContaining('agents administer nothing, whatever their roles') },
    });
  });

  it('lists without reading any document', async () => {
    const w = await bundleWorld();
    await w.deploy(await w.bundle({ bundle_version: 'c0ffee' }));
    const { store } = w.app().context;
    await store.bundles.resign(1, { document: 'not even JSON', key_id: null });
    expect(await w.list()).toMatchObject([{ version: 'v1', bundle_version: 'c0ffee' }]);
  });
});

describe('the text of a bundle', () => {
  async function posted(w: BundleWorld, payload: string) {
    const response = await w.g.server.inject({
      method: 'POST',
      url: '/api/v1/orgs/acme/policy_bundles',
      headers: { authorization: `Bearer ${w.g.admin}`, 'content-type': 'application/json' },
      payload,
    });
    return { status: response.statusCode, body: response.json() };
  }

  it('is refused where it says something twice, and the place is named', async () => {
    const w = await bundleWorld();
    const text = JSON.stringify({ bundle: await w.bundle({ sequence: 1 }) });
    const twice = text.replace('"org_slug":', '"org_slug":"other","org_slug":');
    expect(await posted(w, twice)).toMatchObject({
      status: 400,
      body: {
        type: 'validation',
        details: { problems: [{ pointer: '/bundle/bundle/org_slug', code: 'duplicate_key' }] },
      },
    });
    expect(await w.states()).toEqual([]);
    expect(await posted(w, text)).toMatchObject({ status: 201 });
  });

  it('is refused where it is nested beyond all measure, and the server goes on', async () => {
    const w = await bundleWorld();
    const levels = 100_000;
    for (const deep of [
      `${'['.repeat(levels)}${']'.repeat(levels)}`,
      `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`,
    ]) {
      for (const payload of [`{"bundle":{"a":${deep}}}`, `{"bundle":${deep}}`, deep]) {
        const { status, body } = await posted(w, payload);
        expect([status, ['bundle_invalid', 'validation'].includes(body.type)]).toEqual([400, true]);
      }
    }
    expect(await w.deploy(await w.bundle())).toMatchObject({ status: 201 });
  });
});
