import { openApp } from '../app.js';
import { readDatasourceVariables } from '../config/datasource-credentials.js';
import { readVariable } from '../config/env.js';
import { loadServerConfig, type ServerConfig } from '../config/server-config.js';
import { describeUrl } from '../util/describe-url.js';
import { createServer } from './create-server.js';
import { DRAIN_MS, listen, stopSignal, withDeadline } from './process.js';
import { runExecutor } from './run-executor.js';
import { runJobs } from './run-jobs.js';

export interface RunServerOptions {
  version: string;
  cwd: string;
  /** Prints one JSON document when it listens, instead of lines for people. */
  json: boolean;
  file?: string;
  adminPassword?: string;
  /** VKIT_MASTER_KEY: the master secret of the vault. */
  masterKey?: string;
  /** VKIT_EXECUTOR_TOKEN: what a control plane and its executors share. */
  executorToken?: string;
  /** VKIT_OIDC_CLIENT_SECRET: of this server at the identity provider. */
  oidcClientSecret?: string;
  /** VKIT_MASTER_KEY_PREVIOUS: the one before it. */
  previousMasterKey?: string;
  /** HTTPS_PROXY and NO_PROXY, for what the server itself calls. */
  proxy?: { https?: string; except?: string };
  environment: Partial<ServerConfig>;
  flags: Partial<ServerConfig>;
  /** Called with what ends the server at Ctrl-C; SIGTERM is handled here. */
  onInterrupt?: (stop: () => void) => void;
}

/**
 * Starts the server and resolves when it has stopped after SIGTERM or an interrupt: it takes no new requests, lets running
 * ones finish, and closes the store.
 */
export async function runServer(options: RunServerOptions): Promise<void> {
  const { cwd, file, environment, flags, version } = options;
  const config = await loadServerConfig({
    cwd,
    environment,
    flags,
    ...(file === undefined ? {} : { file }),
  });
  if (config.role === 'executor') return runExecutor(options, config);
  const app = await openApp({
    config,
    cwd,
    variables: readDatasourceVariables,
    variable: readVariable,
    ...(options.proxy && { proxy: options.proxy }),
    ...(options.adminPassword === undefined ? {} : { adminPassword: options.adminPassword }),
    ...(options.masterKey === undefined ? {} : { masterKey: options.masterKey }),
    ...(options.executorToken === undefined ? {} : { executorToken: options.executorToken }),
    ...(options.oidcClientSecret === undefined
      ? {}
      : { oidcClientSecret: options.oidcClientSecret }),
    ...(options.previousMasterKey === undefined
      ? {}
      : { previousMasterKey: options.previousMasterKey }),
  });
  try {
    const server = await createServer(app.context, {
      version,
      logLevel: config.log_level,
      requestsPerMinuteMax: config.requests_per_minute,
      jwks: app.jwks,
    });
    const url = await listen(() => server.listen({ host: config.host, port: config.port }), config);
    announce(options, config, url, app);
    const jobs = runJobs(app.context.store, app.jobs, (job, error) =>
      server.log.error({ err: error, job }, 'a job failed; its next run goes on'),
    );
    await stopSignal(options);
    const [drained] = await Promise.all([withDeadline(server.close(), DRAIN_MS), jobs.stop()]);
    if (!drained) server.log.warn(`requests were still running after ${DRAIN_MS / 1000} s`);
  } finally {
    await app.close();
  }
}

interface Announced {
  missingBundleKeys: readonly string[];
  notServed: string | null;
  generatedPassword: string | null;
  created: boolean;
}

function announce(
  options: RunServerOptions,
  config: ServerConfig,
  url: string,
  app: Announced,
): void {
  const { generatedPassword } = app;
  const state = config.database_url === undefined ? null : describeUrl(config.database_url);
  if (options.json) {
    const facts = {
      status: 'listening',
      url,
      org: config.org,
      data_dir: config.data_dir,
      ...(state === null ? {} : { database: state }),
      admin_email: config.admin_email,
    };
    const once = generatedPassword === null ? {} : { admin_password: generatedPassword };
    const refused = app.notServed === null ? {} : { not_served: app.notServed };
    process.stdout.write(`${JSON.stringify({ ...facts, ...once, ...refused })}\n`);
    return;
  }
  const lines = [
    `vkit ${options.version} serves organisation ${config.org} at ${url}`,
    `State: ${state ?? config.data_dir}`,
  ];
  if (app.created) lines.push(`Made the administrator ${config.admin_email}.`);
  if (generatedPassword !== null) lines.push(`Its password, shown this once: ${generatedPassword}`);
  for (const path of app.missingBundleKeys) {
    lines.push(`The trusted bundle key ${path} is not there yet; make it with: vkit keys generate`);
  }
  if (app.notServed !== null) {
    lines.push(`${app.notServed} Everything is denied; see: vkit policy show`);
  }
  if (config.trusted_bundle_keys.length === 0) {
    lines.push(
      'No key is trusted to sign bundles yet: name one with VKIT_PUBLIC_KEY or trusted_bundle_keys.',
    );
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}
