import { join } from 'node:path';
import type { Server as TlsServer } from 'node:tls';
import { openApp } from '../app.js';
import { readDatasourceVariables } from '../config/datasource-credentials.js';
import { readVariable } from '../config/env.js';
import { loadServerConfig, type ServerConfig } from '../config/server-config.js';
import { backUpState } from '../services/back-up-state.js';
import type { ControlContext } from '../services/control/context.js';
import { describeUrl } from '../util/describe-url.js';
import { createServer } from './create-server.js';
import { DRAIN_MS, listen, stopSignal, withDeadline } from './process.js';
import { runExecutor } from './run-executor.js';
import { runJobs } from './run-jobs.js';
import type { RunServerOptions } from './run-server-options.js';
import type { Server } from './server-context.js';
import { readTls } from './tls.js';
import { startTracing } from './tracing.js';

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
  const tls = config.tls && (await readTls(config.tls));
  const { otlp_endpoint: endpoint } = config;
  const tracing = endpoint === undefined ? undefined : await startTracing({ endpoint, version });
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
  let log: Server['log'] | undefined;
  try {
    const server = await createServer(app.context, {
      version,
      logLevel: config.log_level,
      requestsPerMinuteMax: config.requests_per_minute,
      jwks: app.jwks,
      gauges: app.gauges,
      trustedProxies: config.trusted_proxies,
      ...(tls === undefined ? {} : { tls }),
      ...(tracing === undefined ? {} : { tracing }),
      ...(options.metricsToken === undefined ? {} : { metricsToken: options.metricsToken }),
    });
    log = server.log;
    const url = await listen(() => server.listen({ host: config.host, port: config.port }), config);
    announce(options, config, url, app);
    warnOfClear(config);
    const stopReloading = reloadTls(config.tls, server);
    const stopBackingUp = backUpAtSignal(config, app.context, server);
    const jobs = runJobs(app.context.store, app.jobs, (job, error) =>
      server.log.error({ err: error, job }, 'a job failed; its next run goes on'),
    );
    await stopSignal(options);
    server.log.info('draining');
    const [drained] = await Promise.all([withDeadline(server.close(), DRAIN_MS), jobs.stop()]);
    stopReloading();
    await stopBackingUp();
    if (!drained) server.log.warn(`requests were still running after ${DRAIN_MS / 1000} s`);
  } finally {
    await app.close();
    // A collector that does not answer keeps no server from ending.
    await tracing?.close().catch(() => undefined);
  }
  log?.info('stopped');
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

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/i;

/** Behind a proxy with TLS this is as it should be; to forget one is easy. */
function warnOfClear({ host, tls }: ServerConfig): void {
  if (tls !== undefined || LOOPBACK.test(host)) return;
  process.stderr.write(
    `Warning: ${host} is not this machine alone, and the server speaks plain HTTP there: tokens and rows can be read on the way.\n` +
      'Put a proxy with TLS in front of it, or name tls: {cert_file, key_file} in vkit.server.yaml.\n',
  );
}

/** Reads certificate and key again at SIGHUP; connections that stand keep theirs, and files that are no pair change nothing. */
function reloadTls(tls: ServerConfig['tls'], { server, log }: Server): () => void {
  const onHangUp = () => {
    if (tls === undefined) return;
    readTls(tls).then(
      (options) => {
        (server as unknown as TlsServer).setSecureContext(options);
        log.info('the certificate was read again');
      },
      (error: unknown) => log.error({ err: error }, 'the certificate stays as it was'),
    );
  };
  process.on('SIGHUP', onHangUp);
  return () => process.off('SIGHUP', onHangUp);
}

/** Writes a backup at SIGUSR2, one at a time; the log says where, or why not. */
function backUpAtSignal(
  { data_dir: dataDir, backup_dir }: ServerConfig,
  { store, now }: ControlContext,
  { log }: Server,
): () => Promise<void> {
  let running: Promise<void> | undefined;
  const backupDir = backup_dir ?? join(dataDir, 'backups');
  const onSignal = () => {
    running ??= backUpState({ store, dataDir, backupDir, now })
      .then(
        (folder) => log.info({ folder }, 'a backup was written'),
        (error: unknown) => log.error({ err: error }, 'no backup was written'),
      )
      .finally(() => {
        running = undefined;
      });
  };
  process.on('SIGUSR2', onSignal);
  return async () => {
    process.off('SIGUSR2', onSignal);
    await running;
  };
}
