import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { type App, openApp } from '../../src/app.js';
import type { AuditRecord } from '../../src/audit/model.js';
import { bundleChecksum } from '../../src/bundle/canonicalise.js';
import type { Bundle, BundleHeader } from '../../src/bundle/model.js';
import { signBundle } from '../../src/bundle/sign-bundle.js';
import type { BundleBody, DeployAnswer } from '../../src/client/wire.js';
import { createServer } from '../../src/server/create-server.js';
import { type Answer, type Governed, governed } from '../helpers/governed.js';
import { sqliteShop } from '../helpers/shop.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

export interface Pair {
  privateKey: KeyObject;
  publicKey: KeyObject;
}

const POLICIES = ['id: everybody_reads\nmatch: {dataset: customers}\naction: {allow: true}\n'];

/** A server whose trusted bundle keys are files of the test, and bundles to deploy there. */
export interface BundleWorld {
  g: Governed;
  /** The server as it is now: another one after `restart`. */
  app(): App;
  /** Trusted at the start; `second` and `stranger` are not. */
  first: Pair;
  second: Pair;
  stranger: Pair;
  /** Writes the public key into a file that the configuration names, or takes the file away. */
  trust(name: 'first' | 'second', key: KeyObject | null): Promise<void>;
  /** A signed bundle; `header` changes it before checksum and signature. */
  bundle(header?: Partial<BundleHeader>, key?: Pair | null): Promise<Bundle>;
  deploy(document: unknown, activate?: boolean): Promise<Answer<DeployAnswer>>;
  /** POST to `/policy_bundles/<path>`. */
  post(path: string, body?: object): Promise<Answer<DeployAnswer & { type?: string }>>;
  call: Governed['call'];
  list(): Promise<readonly BundleBody[]>;
  /** `v1 active` and so on, newest first. */
  states(): Promise<string[]>;
  epoch(): Promise<number>;
  /** The records about bundles, oldest first, without the refusals. */
  steps(): Promise<AuditRecord[]>;
  refusals(): Promise<AuditRecord[]>;
  restart(): Promise<void>;
}

export async function bundleWorld(): Promise<BundleWorld> {
  const folder = await temporaryFolder();
  const [first, second, stranger] = [pair(), pair(), pair()];
  const files = { first: join(folder, 'first.pem'), second: join(folder, 'second.pem') };
  const trust: BundleWorld['trust'] = async (name, key) => {
    if (key === null) return rm(files[name], { force: true });
    await writeFile(files[name], key.export({ format: 'pem', type: 'spki' }));
  };
  await trust('first', first.publicKey);
  const g = await governed(await sqliteShop(), { trusted_bundle_keys: Object.values(files) });
  const base = await g.compile(POLICIES);
  let { app, server } = g;
  const call: Governed['call'] = async <T>(
    token: string,
    method: string,
    path: string,
    body?: unknown,
  ) => {
    const response = await server.inject({
      method: method as 'GET',
      url: `/api/v1${path}`,
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { payload: body as object }),
    });
    return { status: response.statusCode, body: response.json() as T };
  };
  const audit = async (action?: string) => {
    const query = `order=asc&limit=500${action ? `&action=${action}` : ''}`;
    type Page = { records: AuditRecord[] };
    return (await call<Page>(g.admin, 'GET', `/orgs/acme/audit?${query}`)).body.records;
  };
  const list = async () => {
    type Listed = { policy_bundles: BundleBody[] };
    return (await call<Listed>(g.admin, 'GET', '/orgs/acme/policy_bundles')).body.policy_bundles;
  };
  return {
    g,
    app: () => app,
    first,
    second,
    stranger,
    trust,
    call,
    list,
    async bundle(header = {}, key: Pair | null = first) {
      const unsealed = { ...base, bundle: { ...base.bundle, ...header, checksum: '' } };
      const sealed = sealedBundle(unsealed);
      return key === null ? sealed : signBundle(sealed, key.privateKey, key.publicKey);
    },
    deploy: (bundle, activate = true) =>
      call(g.admin, 'POST', '/orgs/acme/policy_bundles', { bundle, activate }),
    post: (path, body = {}) => call(g.admin, 'POST', `/orgs/acme/policy_bundles/${path}`, body),
    states: async () => (await list()).map(({ version, state }) => `${version} ${state}`),
    epoch: async () => (await app.context.store.organisation.get())?.epoch ?? -1,
    steps: async () =>
      (await audit()).filter(
        ({ event }) => event.startsWith('bundle.') && event !== 'bundle.refused',
      ),
    refusals: () => audit('bundle.refused'),
    async restart() {
      await server.close();
      await app.close();
      const options = { version: '0.0.0', logLevel: 'silent', requestsPerMinuteMax: 1e6 } as const;
      const started = await openApp({
        config: g.config,
        cwd: g.folder,
        variables: () => ({}),
        now: () => g.clock.now,
      });
      const next = await createServer(started.context, { ...options, jwks: started.jwks });
      [app, server] = [started, next];
      onTestFinished(async () => {
        await next.close();
        await started.close();
      });
    },
  };
}

/** The bundle with the checksum of its content. */
function sealedBundle(bundle: Bundle): Bundle {
  const checksum = bundleChecksum(bundle);
  return { ...bundle, bundle: { ...bundle.bundle, checksum } };
}

function pair(): Pair {
  return generateKeyPairSync('ed25519');
}

/** That it was refused with this code, changed nothing, and is on record once, with the checksum it claims. */
export async function expectRefusal(
  world: BundleWorld,
  code: [status: number, type: string],
  attempt: () => Promise<Answer<unknown>>,
  recorded: Record<string, unknown> = {},
): Promise<void> {
  const before = await Promise.all([world.list(), world.epoch(), world.refusals()]);
  const { status, body } = await attempt();
  expect([status, (body as { type?: string }).type]).toEqual(code);
  const after = await Promise.all([world.list(), world.epoch(), world.refusals()]);
  expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
  expect(after[2]).toHaveLength(before[2].length + 1);
  expect(after[2].at(-1)).toMatchObject({
    requester: { email: 'root@acme.test' },
    policy_evaluation: { access_granted: false, type: code[1] },
    metadata: recorded,
  });
}
