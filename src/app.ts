import { join } from 'node:path';
import { exportJWK } from 'jose';
import type { ServerConfig } from './config/server-config.js';
import type { Engine } from './engines/contract.js';
import { ENGINES, engineByName } from './engines/index.js';
import { VkitError } from './errors/index.js';
import { rememberVerified } from './grants/verify-grant.js';
import { createTokenCodec } from './masking/token-codec.js';
import { createConnectors } from './services/connectors.js';
import { createActiveBundleReader } from './services/control/active-bundle.js';
import { Activity } from './services/control/activity.js';
import { checkBundle, refusalOf } from './services/control/check-bundle.js';
import type { ControlContext } from './services/control/context.js';
import { createAuthenticator } from './services/control/identity.js';
import { KeptPermits } from './services/control/kept-permits.js';
import { RunningQueries } from './services/control/running-queries.js';
import { setUpOrganisation } from './services/control/set-up-organisation.js';
import { createSweeper } from './services/control/sweep.js';
import { createDataPlane } from './services/data-plane.js';
import { type DatasourceVariables, datasourceSecret } from './services/datasource-secret.js';
import { vaultCredentials } from './services/datasource-vault.js';
import type { Job } from './services/job.js';
import type { MetricGauge } from './services/metric-gauge.js';
import { auditSigner, loadServerKeys, type ServerKeys } from './services/server-keys.js';
import { readTrustedBundleKeys } from './services/trusted-bundle-keys.js';
import { KEYS_FOLDER } from './store/data-directory.js';
import { openStore } from './store/open-store.js';
import { createMasterSource } from './vault/master-secret.js';
import { createVault } from './vault/vault.js';

export interface AppOptions {
  config: ServerConfig;
  /** Of the first administrator; absent: one is made at the first start and returned once. */
  adminPassword?: string;
  /** The master secret of the vault; wins over the file of the configuration. */
  masterKey?: string;
  /** What the environment says of a datasource, read when a connection is opened and not kept. */
  variables: (id: string) => DatasourceVariables;
  /** Where relative paths of datasources start. */
  cwd: string;
  now?: () => number;
  /** See `openStore`. */
  checkStoreUse?: boolean;
}

export interface App {
  context: ControlContext;
  /** The server's public keys, as a JWK Set (RFC 7517). */
  jwks: { keys: readonly object[] };
  /** Said once, at the first start, when no password was given. */
  generatedPassword: string | null;
  /** Trusted bundle keys that are named and not there yet. */
  missingBundleKeys: readonly string[];
  /** Why the active bundle is not served, in one sentence; null where it is, or there is none. */
  notServed: string | null;
  /** Whether this start made the organisation. */
  created: boolean;
  /** What is to be done regularly while it serves. */
  jobs: readonly Job[];
  /** What its metrics tell beside what every server counts. */
  gauges: readonly MetricGauge[];
  /** Stops running queries, closes the pools and the store. */
  close(): Promise<void>;
}

/** Wires the control plane and the data plane of one process: the only place that makes them. */
export async function openApp({
  config,
  variables,
  cwd,
  adminPassword,
  masterKey,
  now = Date.now,
  checkStoreUse = false,
}: AppOptions): Promise<App> {
  // Read at the start too: a file that holds something else is found now, not at the next deployment.
  const { missing } = await readTrustedBundleKeys(config.trusted_bundle_keys);
  const keys = await loadServerKeys(config.data_dir);
  const own = [keys.grant.publicKey, keys.audit.publicKey];
  const trustedBundleKeys = async () =>
    (await readTrustedBundleKeys(config.trusted_bundle_keys, own)).keys;
  await trustedBundleKeys();
  const store = await openStore({
    dataDir: config.data_dir,
    signer: auditSigner(keys),
    now,
    checkUse: checkStoreUse,
  });
  try {
    const masters = createMasterSource({
      org: config.org,
      ...(masterKey === undefined ? {} : { text: masterKey }),
      ...(config.master_key_file === undefined ? {} : { file: config.master_key_file }),
      ownFile: join(config.data_dir, KEYS_FOLDER, 'master.key'),
      isAnythingSealed: async () => !(await store.secrets.isEmpty()),
    });
    // One that cannot be used is found now, not with the first password.
    await masters.check();
    const vault = createVault(masters);
    const sealed = {
      org: config.org,
      store,
      vault,
      clearPasswordHosts: config.clear_password_hosts,
    };
    const connectors = createConnectors({
      engine,
      credentials: (datasource, found) =>
        datasource.credentials === 'vaultkit'
          ? vaultCredentials(sealed, datasource, found)
          : datasourceSecret({
              id: datasource.name,
              engine: found,
              config: datasource.config,
              credentials: datasource.credentials ?? 'env',
              variables,
            }),
      baseDirectory: cwd,
      fileDirectories: config.file_directories,
      forbiddenDirectories: [config.data_dir],
      clearPasswordHosts: config.clear_password_hosts,
    });
    const tokens = createTokenCodec(config.org, keys.tokenKeys);
    const grantKeys = new Map([[keys.grant.kid, keys.grant.publicKey]]);
    const dataPlane = createDataPlane({
      org: config.org,
      grantKeys,
      engine,
      connectors,
      tokens,
      now,
      rowCap: config.row_cap,
      statementTimeoutMs: config.statement_timeout_seconds * 1000,
    });
    const trust = {
      org: config.org,
      trustedBundleKeys,
      settings: {
        allowUnsignedBundles: config.allow_unsigned_bundles,
        allowDirtyBundles: config.allow_dirty_bundles,
        rowCap: config.row_cap,
        sessionTtlSeconds: config.session_ttl_seconds,
        requestTtlSeconds: config.request_ttl_seconds,
        streamDeadlineSeconds: config.stream_deadline_seconds,
        streamStallSeconds: config.stream_stall_seconds,
        streamBytesPerSecondMin: config.stream_bytes_per_second_min,
        clearPasswordHosts: config.clear_password_hosts,
      },
    };
    const context: ControlContext = {
      ...trust,
      store,
      keys,
      now,
      activeBundle: createActiveBundleReader(now, (parsed) =>
        checkBundle(trust, parsed, BEFORE_ANY_EXPIRY),
      ),
      authenticate: createAuthenticator(store, now),
      verifiedGrants: rememberVerified(grantKeys),
      permits: new KeptPermits(),
      dataPlane,
      engines: ENGINES,
      connectors,
      vault,
      tokens,
      running: new RunningQueries(config.queries_per_requester),
      activity: new Activity(),
    };
    const first = await setUpOrganisation(context, {
      adminEmail: config.admin_email,
      ...(adminPassword === undefined ? {} : { adminPassword }),
    });
    return {
      context,
      jwks: await publicKeys(keys),
      ...first,
      missingBundleKeys: missing,
      notServed: await notServed(context),
      gauges: [],
      jobs: [{ name: 'sweep', everyMs: SWEEP_MS, run: createSweeper(context).sweep }],
      close: async () => {
        context.running.stopAll(new VkitError('unavailable', 'The server is stopping.'));
        await dataPlane.close();
        await context.running.idle();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** How often what time has ended is written down. */
const SWEEP_MS = 5_000;

/** The expiry of what is served is looked at each time it is used, not when it is loaded. */
const BEFORE_ANY_EXPIRY = 0;

async function notServed(context: ControlContext): Promise<string | null> {
  const active = await context.store.bundles.active();
  const refusal = active && (await refusalOf(context, active));
  return active && refusal
    ? `The active bundle v${active.version} is not served: ${refusal.message}`
    : null;
}

function engine(name: string): Engine {
  const found = engineByName(name);
  if (found) return found;
  throw new VkitError('unsupported', `This server has no engine called ${name.slice(0, 32)}.`);
}

async function publicKeys(keys: ServerKeys): Promise<{ keys: object[] }> {
  const pairs = [keys.grant, keys.audit];
  return {
    keys: await Promise.all(
      pairs.map(async ({ kid, publicKey }) => ({
        ...(await exportJWK(publicKey)),
        kid,
        use: 'sig',
        alg: 'EdDSA',
      })),
    ),
  };
}
