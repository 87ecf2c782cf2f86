import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { AuditRecord } from '../../src/audit/model.js';
import { signBundle } from '../../src/bundle/sign-bundle.js';
import type { BundleBody, DeployAnswer } from '../../src/client/wire.js';
import { compileGround } from '../helpers/governed.js';
import { sqliteShop } from '../helpers/shop.js';
import { type ServeOptions, startServe } from './serve-process.js';

/** When the server is killed after the deployment was sent: before it is read, while it is checked, written, answered. */
const KILL_AFTER_MS = [0, 40, 120, 250, 500];
/** So many that checking them takes a while. */
const POLICIES_EACH = 400;
const PASSWORD = 'correct horse battery staple';

it('a server killed during a deployment has the former bundle active, or the new one whole', async () => {
  const ground = await sqliteShop();
  const folder = dirname(ground.path);
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const publicKeyFile = join(folder, 'vkit_pub.pem');
  await writeFile(publicKeyFile, publicKey.export({ format: 'pem', type: 'spki' }));
  const policies = Array.from(
    { length: POLICIES_EACH },
    (_, index) => `id: allow_${index}\nmatch: {dataset: customers}\naction: {allow: true}\n`,
  );
  const bundleOf = async (sequence: number) =>
    signBundle(await compileGround(ground, policies, sequence), privateKey, publicKey);
  const options: ServeOptions = {
    cwd: folder,
    dataDir: join(folder, 'state'),
    publicKeyFile,
    adminPassword: PASSWORD,
  };

  let server = await startServe(options);
  const token = await logIn(server.url);
  await deploy(server.url, token, await bundleOf(1));
  let active = 1;
  let keptFormer = 0;
  for (const [round, delayMs] of KILL_AFTER_MS.entries()) {
    const sequence = round + 2;
    const told = deploy(server.url, token, await bundleOf(sequence)).catch(() => null);
    await wait(delayMs);
    await server.kill();
    const acknowledged = await told;
    server = await startServe(options);
    const versions = await list(server.url, token);
    const serving = versions.filter(({ state }) => state === 'active');
    expect(serving).toHaveLength(1);
    const now = serving[0]?.sequence ?? 0;
    expect([active, sequence]).toContain(now);
    if (acknowledged) expect(now).toBe(sequence);
    // Half a deployment would be a version that nobody uploaded without activating it.
    expect(versions.filter(({ state }) => state === 'uploaded')).toEqual([]);
    expect(await activations(server.url, token)).toBe(versions.length);
    if (now === active) keptFormer += 1;
    active = now;
  }
  await server.kill();
  expect(keptFormer).toBeGreaterThan(0);
}, 240_000);

async function call<T>(url: string, token: string, path: string, body?: object): Promise<T> {
  const response = await fetch(`${url}/api/v1${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as T;
  if (!response.ok) throw new Error(JSON.stringify(answer));
  return answer;
}

async function logIn(url: string): Promise<string> {
  const body = { email: 'admin@acme.test', password: PASSWORD };
  return (await call<{ token: string }>(url, 'none', '/auth/login', body)).token;
}

function deploy(url: string, token: string, bundle: unknown): Promise<DeployAnswer> {
  return call(url, token, '/orgs/acme/policy_bundles', { bundle });
}

async function list(url: string, token: string): Promise<readonly BundleBody[]> {
  type Listed = { policy_bundles: BundleBody[] };
  return (await call<Listed>(url, token, '/orgs/acme/policy_bundles')).policy_bundles;
}

async function activations(url: string, token: string): Promise<number> {
  const path = '/orgs/acme/audit?action=bundle.activated&limit=100';
  return (await call<{ records: AuditRecord[] }>(url, token, path)).records.length;
}
