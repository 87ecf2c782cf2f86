import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type App, openApp } from '../../src/app.js';
import { compileBundle } from '../../src/bundle/compile-bundle.js';
import type { Bundle } from '../../src/bundle/model.js';
import { signBundle } from '../../src/bundle/sign-bundle.js';
import type { ServerConfig } from '../../src/config/server-config.js';
import { ENGINES, type EngineName } from '../../src/engines/index.js';
import { parsePolicyFile } from '../../src/policy/parse-policy.js';
import { mergeScan } from '../../src/schema/merge-scan.js';
import { parseRegistry } from '../../src/schema/parse-registry.js';
import { createServer } from '../../src/server/create-server.js';
import type { Server } from '../../src/server/server-context.js';
import { newToken } from '../../src/services/token-secrets.js';
import { randomId } from '../../src/util/random-id.js';
import { emptyState } from './postgres.js';
import { type AtTheEnd, temporaryFolder } from './temporary-folder.js';

/** With a PostgreSQL here, every server of a test keeps its state there. */
const STATE_URL = process.env.VKIT_TEST_STATE_URL;

export const EXECUTOR_TOKEN = 'a secret that executors and control planes share';
export const ADMIN_PASSWORD = 'correct horse battery staple';

/** One database to govern, filled and reviewed. */
export interface Ground {
  engine: EngineName;
  config: Record<string, unknown>;
  variables: { username?: string; password?: string };
  registryText: string;
  environment?: string;
  region?: string | null;
}

export interface Answer<T = Record<string, unknown>> {
  status: number;
  body: T;
}

export interface Governed {
  app: App;
  server: Server;
  config: ServerConfig;
  folder: string;
  /** Moves the server's clock, in milliseconds since the epoch. */
  clock: { now: number };
  admin: string;
  call<T = Record<string, unknown>>(
    token: string,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<Answer<T>>;
  user(account: Account): Promise<string>;
  agent(
    account: Omit<Account, 'email'> & {
      name: string;
      on_behalf_of?: string;
      datasources?: string[];
    },
  ): Promise<string>;
  /** Compiles, signs and deploys; the sequence rises by itself. */
  deploy(policies: readonly string[], change?: (bundle: Bundle) => Bundle): Promise<Answer>;
  compile(policies: readonly string[]): Promise<Bundle>;
}

export interface Account {
  email: string;
  roles?: string[];
  clearance?: string | null;
  region?: string | null;
  purposes?: string[];
}

/** A server in this process over a real store, real keys and a real database. */
export async function governed(
  ground: Ground,
  settings: Partial<ServerConfig> = {},
  atTheEnd: AtTheEnd = onTestFinished,
  checkStoreUse = true,
  secrets: { oidcClientSecret?: string } = {},
): Promise<Governed> {
  const folder = await temporaryFolder(atTheEnd);
  const bundleKeys = generateKeyPairSync('ed25519');
  const keyFile = join(folder, 'bundle_pub.pem');
  await writeFile(keyFile, bundleKeys.publicKey.export({ format: 'pem', type: 'spki' }));
  const clock = { now: Date.parse('2026-03-02T10:00:00Z') };
  const config: ServerConfig = {
    role: 'all',
    executor_urls: [],
    control_url: '',
    grant_keys: [],
    host: '127.0.0.1',
    port: 0,
    data_dir: join(folder, 'state'),
    org: 'acme',
    admin_email: 'admin@acme.test',
    trusted_bundle_keys: [keyFile],
    allow_unsigned_bundles: false,
    allow_dirty_bundles: false,
    file_directories: ['/'],
    previous_master_key_files: [],
    clear_password_hosts: [],
    private_addresses: [],
    audit: { sinks: [], checkpoint_records: 1_000, checkpoint_seconds: 60 },
    row_cap: 10_000,
    statement_timeout_seconds: 30,
    session_ttl_seconds: 86_400,
    request_ttl_seconds: 86_400,
    stream_deadline_seconds: 3600,
    stream_stall_seconds: 30,
    stream_bytes_per_second_min: 1024,
    requests_per_minute: 1_000_000,
    queries_per_requester: 8,
    log_level: 'silent',
    trusted_proxies: [],
    ...settings,
  };
  if (STATE_URL && config.database_url === undefined) {
    const { url, discard } = await emptyState(STATE_URL);
    atTheEnd(discard);
    config.database_url = url;
  }
  const app = await openApp({
    config,
    cwd: folder,
    adminPassword: ADMIN_PASSWORD,
    ...(STATE_URL ? { masterKey: 'a master secret of the tests' } : {}),
    executorToken: EXECUTOR_TOKEN,
    ...secrets,
    variables: () => ground.variables,
    now: () => clock.now,
    checkStoreUse,
  });
  const server = await createServer(app.context, {
    version: '0.0.0',
    logLevel: 'silent',
    requestsPerMinuteMax: config.requests_per_minute,
    jwks: app.jwks,
  });
  atTheEnd(async () => {
    await server.close();
    await app.close();
  });

  const call: Governed['call'] = async <T>(
    token: string,
    method: string,
    path: string,
    body?: unknown,
  ) => {
    const response = await server.inject({
      method: method as 'GET',
      url: `/api/v1${path}`,
      headers: token === '' ? {} : { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { payload: body as object }),
    });
    const isJson = /^application\/json\b/.test(String(response.headers['content-type']));
    const answer: unknown = isJson ? JSON.parse(response.body) : response.body;
    return { status: response.statusCode, body: answer as T };
  };
  const admin = await addUser(app, { email: 'root@acme.test', roles: ['admin'] }, clock.now);
  let sequence = 0;
  const compile = async (policies: readonly string[]): Promise<Bundle> => {
    sequence += 1;
    return compileGround(ground, policies, sequence);
  };
  return {
    app,
    server,
    config,
    folder,
    clock,
    admin,
    call,
    compile,
    user: (account) => addUser(app, account, clock.now),
    async agent(account) {
      const made = await call<{ token: string }>(admin, 'POST', '/orgs/acme/agent_tokens', account);
      if (made.status !== 201) throw new Error(JSON.stringify(made));
      return made.body.token;
    },
    async deploy(policies, change = (bundle) => bundle) {
      const bundle = change(await compile(policies));
      const signed = await signBundle(bundle, bundleKeys.privateKey, bundleKeys.publicKey);
      const answer = await call(admin, 'POST', '/orgs/acme/policy_bundles', { bundle: signed });
      return answer;
    },
  };
}

/** A user with a session, written to the store: passwords are slow on purpose, and have tests of their own. */
async function addUser({ context }: App, account: Account, now: number): Promise<string> {
  const id = randomId('usr');
  const { token, hash } = newToken('vks_');
  const created_at = new Date(now).toISOString();
  await context.store.users.insert({
    id,
    email: account.email,
    password_hash: 'none',
    roles: account.roles ?? [],
    clearance: account.clearance ?? null,
    region: account.region ?? null,
    purposes: account.purposes ?? [],
    created_at,
    disabled_at: null,
    login: 'password',
    oidc_subject: null,
  });
  await context.store.sessions.insert({
    id: randomId('ses'),
    user_id: id,
    token_hash: hash,
    created_at,
    expires_at: new Date(now + 86_400_000).toISOString(),
    revoked_at: null,
    method: 'password',
    client: null,
    address: null,
  });
  return token;
}

/** The bundle of these policies over a database as it is now, unsigned. */
export async function compileGround(
  ground: Ground,
  policyTexts: readonly string[],
  sequence: number,
): Promise<Bundle> {
  const policies = policyTexts.map((text, index) => {
    const { policy, problems } = parsePolicyFile(text, `policy-${index}.yaml`);
    if (!policy) throw new Error(JSON.stringify(problems));
    return policy;
  });
  const parsed = parseRegistry(ground.registryText, 'registry.yaml');
  if (parsed.problems.length > 0) throw new Error(JSON.stringify(parsed.problems));
  const connector = await ENGINES[ground.engine].connect({
    id: 'shop',
    config: ground.config,
    credentials: ground.variables,
  });
  const scanned = await connector.introspect();
  await connector.close();
  const { lock } = mergeScan({
    registryText: ground.registryText,
    registry: parsed.registry,
    lock: { format_version: 'v1', datasets: {} },
    scanned,
    datasource: 'shop',
    classify: () => ({
      classification: 'generic',
      category: 'internal',
      sensitivity: 'high',
      because: [],
    }),
  });
  return compileBundle({
    org: 'acme',
    commit: { sha: 'a'.repeat(40), time: '2026-03-01T00:00:00Z' },
    sequence,
    expiresAt: null,
    repo: 'example.test/acme/policies',
    dirty: false,
    defaultAction: 'deny',
    installedPacks: [],
    policies,
    registry: parsed.registry,
    lock,
    datasources: [
      {
        name: 'shop',
        type: ground.engine,
        environment: ground.environment ?? 'production',
        region: ground.region === undefined ? 'US' : ground.region,
        config: ground.config,
        credentials: 'env',
      },
    ],
  });
}
