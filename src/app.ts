import { exportJWK } from 'jose';
import type { BundleDatasource } from './bundle/model.js';
import { readVariable } from './config/env.js';
import type { ServerConfig } from './config/server-config.js';
import type { Engine } from './engines/contract.js';
import { ENGINES, engineByName } from './engines/index.js';
import { VkitError } from './errors/index.js';
import { rememberVerified } from './grants/verify-grant.js';
import { createTokenCodec } from './masking/token-codec.js';
import type { ChannelConfig } from './notify/index.js';
import { openAuditWork } from './services/audit-work.js';
import { type ConnectorOptions, createConnectors } from './services/connectors.js';
import { createActiveBundleReader } from './services/control/active-bundle.js';
import { Activity } from './services/control/activity.js';
import { checkBundle, refusalOf } from './services/control/check-bundle.js';
import type { ControlContext, Executors } from './services/control/context.js';
import { createAuthenticator } from './services/control/identity.js';
import { KeptPermits } from './services/control/kept-permits.js';
import { createRemoteDataPlane } from './services/control/remote-data-plane.js';
import { RunningQueries } from './services/control/running-queries.js';
import { setUpOrganisation } from './services/control/set-up-organisation.js';
import { sinkLags } from './services/control/sink-lags.js';
import { createSweeper } from './services/control/sweep.js';
import { watchRunning } from './services/control/watch-running.js';
import { createDataPlane } from './services/data-plane.js';
import { type DatasourceVariables, datasourceSecret } from './services/datasource-secret.js';
import { vaultCredentials } from './services/datasource-vault.js';
import { checkPeerUrl } from './services/executor/check-peer-url.js';
import { checkExecutorToken } from './services/executor/executor-token.js';
import type { Job } from './services/job.js';
import type { MetricGauge } from './services/metric-gauge.js';
import { createOidcProvider } from './services/oidc-provider.js';
import {
  type CredentialBackendConfigs,
  openCredentialBackends,
} from './services/open-credential-backends.js';
import { openNotifications } from './services/open-notifications.js';
import { openState } from './services/open-state.js';
import { readOidcSettings } from './services/read-oidc-settings.js';
import type { ServerKeys } from './services/server-keys.js';
import { ownSinkSecret } from './services/sink-secret.js';
import { readTrustedBundleKeys } from './services/trusted-bundle-keys.js';
import { parseAddressList } from './util/address-list.js';
import { listedRules, outboundRules } from './util/outbound.js';
import type { ProxySettings } from './util/proxied-fetch.js';

export interface AppOptions {
  config: ServerConfig;
  /** Of the first administrator; absent: one is made at the first start and returned once. */
  adminPassword?: string;
  /** The master secret of the vault; wins over the file of the configuration. */
  masterKey?: string;
  /** The secret that executors are known by, and know this process by. */
  executorToken?: string;
  /** Of this server at the identity provider; wins over the file of the configuration. */
  oidcClientSecret?: string;
  /** The master secret before it, which still opens what it sealed. */
  previousMasterKey?: string;
  /** What the environment says of a datasource, read when a connection is opened and not kept. */
  variables: (id: string) => DatasourceVariables;
  /** Where relative paths of datasources start. */
  cwd: string;
  /** Reads a variable that the server's file names for a secret. */
  variable?: (name: string) => string | undefined;
  /** What the environment says of proxies, for what the server itself calls. */
  proxy?: ProxySettings;
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
  executorToken,
  oidcClientSecret,
  previousMasterKey,
  variable = readVariable,
  proxy,
  now = Date.now,
  checkStoreUse = false,
}: AppOptions): Promise<App> {
  // Read at the start too: a file that holds something else is found now, not at the next deployment.
  const { missing } = await readTrustedBundleKeys(config.trusted_bundle_keys);
  const oidcSettings = config.oidc ? await readOidcSettings(config.oidc, oidcClientSecret) : null;
  const { store, keys, vault } = await openState({
    org: config.org,
    dataDir: config.data_dir,
    now,
    checkUse: checkStoreUse,
    ...(config.database_url === undefined ? {} : { databaseUrl: config.database_url }),
    ...(masterKey === undefined ? {} : { masterKey }),
    ...(config.master_key_file === undefined ? {} : { masterKeyFile: config.master_key_file }),
    previous: {
      ...(previousMasterKey === undefined ? {} : { text: previousMasterKey }),
      files: config.previous_master_key_files,
    },
  });
  try {
    const own = allKeys(keys).map(({ publicKey }) => publicKey);
    const trustedBundleKeys = async () =>
      (await readTrustedBundleKeys(config.trusted_bundle_keys, own)).keys;
    await trustedBundleKeys();
    const sealed = {
      org: config.org,
      store,
      vault,
      clearPasswordHosts: config.clear_password_hosts,
    };
    const rules = outboundRules(parseAddressList(config.private_addresses, 'private_addresses'));
    const backends = openCredentialBackends({
      // Of the form that the schema of the server's file says.
      configs: (config.credential_backends ?? {}) as CredentialBackendConfigs,
      rules,
      ...(proxy && { proxy }),
      variable,
      forbiddenDirectories: [config.data_dir],
      clearPasswordHosts: config.clear_password_hosts,
    });
    const environmentSecret = (datasource: BundleDatasource, found: Engine) => {
      backends.checkEnvironment(datasource, found);
      return datasourceSecret({
        id: datasource.name,
        engine: found,
        config: datasource.config,
        credentials: datasource.credentials ?? 'env',
        variables,
      });
    };
    const credentials: ConnectorOptions['credentials'] = (datasource, found) =>
      datasource.credentials === 'vaultkit'
        ? vaultCredentials(sealed, datasource, found)
        : isFetched(datasource)
          ? backends.credentials(datasource, found)
          : environmentSecret(datasource, found);
    const connectors = createConnectors({
      engine,
      credentials,
      baseDirectory: cwd,
      fileDirectories: config.file_directories,
      forbiddenDirectories: [config.data_dir],
      clearPasswordHosts: config.clear_password_hosts,
      ...(config.datasource_addresses && {
        addressRules: listedRules(
          parseAddressList(config.datasource_addresses, 'datasource_addresses'),
          'datasource_addresses',
        ),
      }),
    });
    const tokens = createTokenCodec(config.org, keys.tokenKeys);
    const grantKeys = new Map(
      [keys.grant, ...keys.former.grant].map(({ kid, publicKey }) => [kid, publicKey] as const),
    );
    const executors = executorsOf(config, executorToken, credentials);
    const dataPlane = executors
      ? createRemoteDataPlane({ ...executors, org: config.org, store, key: keys.grant, now, fetch })
      : createDataPlane({
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
    const audit = await openAuditWork({
      store,
      keys,
      settings: config.audit,
      sinks: {
        org: config.org,
        dataDir: config.data_dir,
        rules,
        ...(proxy === undefined ? {} : { proxy }),
        variable,
        ...(config.database_url === undefined ? {} : { databaseUrl: config.database_url }),
        ownSecret: (name) => ownSecretOf(config, name),
        now,
      },
    });
    const notifications = await openNotifications({
      // Of the form that the schema of the server's file says.
      channels: (config.notifications?.channels ?? []) as unknown as readonly ChannelConfig[],
      rules,
      ...(proxy && { proxy }),
      variable,
      store,
      now,
    });
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
      executors,
      engines: ENGINES,
      connectors,
      vault,
      tokens,
      running: new RunningQueries(config.queries_per_requester),
      oidc: oidcSettings && createOidcProvider(oidcSettings),
      auditSinkNames: audit.sinkNames,
      notifications: notifications.routes,
      activity: new Activity(),
    };
    const first = await setUpOrganisation(context, {
      adminEmail: config.admin_email,
      ...(adminPassword === undefined ? {} : { adminPassword }),
    });
    const unwatch = await watchRunning(context);
    return {
      context,
      jwks: await publicKeys(keys),
      ...first,
      missingBundleKeys: missing,
      notServed: await notServed(context),
      gauges: [sinkLagGauge(context)],
      jobs: [
        { name: 'sweep', everyMs: SWEEP_MS, run: createSweeper(context).sweep },
        ...audit.jobs,
        ...notifications.jobs,
      ],
      close: async () => {
        unwatch();
        context.running.stopAll(new VkitError('unavailable', 'The server is stopping.'));
        await dataPlane.close();
        await context.running.idle();
        await audit.close();
        await notifications.close();
        await backends.close();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** The executors of a control plane that runs apart from them. Throws `config_invalid` for what would not be safe or is not there. */
function executorsOf(
  config: ServerConfig,
  token: string | undefined,
  credentials: ConnectorOptions['credentials'],
): Executors | null {
  if (config.role !== 'control') return null;
  if (config.executor_urls.length === 0) {
    throw new VkitError('config_invalid', 'A control plane of its own needs executors.', {
      hint: 'Name them in FUNL_URL, separated by commas, or under executor_urls in vkit.server.yaml.',
    });
  }
  for (const url of config.executor_urls)
    checkPeerUrl(url, 'FUNL_URL', config.clear_password_hosts);
  return {
    urls: config.executor_urls.map((url) => url.replace(/\/+$/, '')),
    token: checkExecutorToken(token),
    credentials: async (datasource) => credentials(datasource, engine(datasource.type)),
    statementTimeoutMs: config.statement_timeout_seconds * 1000,
  };
}

/** Of a server alone: processes that share a database would each sign with another. */
async function ownSecretOf(config: ServerConfig, name: string): Promise<string> {
  if (config.database_url === undefined) return ownSinkSecret(config.data_dir, name);
  throw new VkitError('config_invalid', `The audit sink ${name} has no secret.`, {
    hint: 'Servers that share a database are given the same one: name it with secret_env or secret_file.',
  });
}

/** How far each sink of the audit log is behind, when somebody asks. */
function sinkLagGauge({ store, now, auditSinkNames }: ControlContext): MetricGauge {
  return {
    name: 'vkit_audit_sink_lag_records',
    help: 'Audit records that are not known to be at a sink.',
    labels: ['sink'],
    async collect() {
      const lags = await sinkLags(store, now(), auditSinkNames);
      return lags.map(({ name, records }) => ({ labels: { sink: name }, value: records }));
    },
  };
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

/** Those that sign, then those that did. */
function allKeys({ grant, audit, former }: ServerKeys) {
  return [grant, audit, ...former.grant, ...former.audit];
}

/** Whether its login is in a backend outside; anything that is not known is asked for there, and refused. */
function isFetched({ credentials = 'env' }: BundleDatasource): boolean {
  return credentials !== 'env' && credentials !== 'vaultkit';
}

/** What a key signs stands beside it, since nobody else is to take a key of the log for one of grants. */
async function publicKeys({ grant, audit, former }: ServerKeys): Promise<{ keys: object[] }> {
  const pairs = [
    ...[grant, ...former.grant].map((pair) => ({ ...pair, use: 'grant' })),
    ...[audit, ...former.audit].map((pair) => ({ ...pair, use: 'audit' })),
  ];
  return {
    keys: await Promise.all(
      pairs.map(async ({ kid, publicKey, use }) => ({
        ...(await exportJWK(publicKey)),
        kid,
        use: 'sig',
        alg: 'EdDSA',
        vkit_use: use,
      })),
    ),
  };
}
