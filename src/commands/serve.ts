import { delimiter } from 'node:path';
import { boolean, option, string } from '@oclif/core/flags';
import { BaseCommand, PRINTED } from '../cli/base-command.js';
import { countFlag } from '../cli/flags.js';
import { handleInterrupt } from '../cli/interrupt.js';
import { readEnvironment } from '../config/env.js';
import type { ServerConfig } from '../config/server-config.js';

export default class ServeCommand extends BaseCommand {
  static override summary = 'Run the server: decides, approves, grants, executes.';
  static override description =
    `Listens on 127.0.0.1:3000 with its state under --data-dir. Reads vkit.server.yaml in the \
working directory, then the environment, then the flags; later ones win. The first start makes the organisation, its \
keys and one administrator. Passwords of datasources come from the vault, or from VKIT_DS_<ID>_USERNAME, \
VKIT_DS_<ID>_PASSWORD or VKIT_DS_<ID>_URL.`;
  static override examples = [
    '<%= config.bin %> serve',
    'VKIT_PUBLIC_KEY=.vkit/keys/vkit_pub.pem <%= config.bin %> serve --port 3000 --org acme',
  ];
  static override flags = {
    role: option({
      description: 'What this process does.',
      options: ['all', 'control', 'executor'] as const,
    })(),
    host: string({ description: 'Address to listen on (127.0.0.1).' }),
    port: countFlag({
      description: 'Port to listen on (3000; an executor 8080); 0 takes a free one.',
      min: 0,
      max: 65_535,
    }),
    'data-dir': string({
      description: 'Directory of the state and the keys (.vkit/server).',
      helpValue: 'FOLDER',
    }),
    'database-url': string({
      description: 'PostgreSQL that holds the state, for more than one process; else DATABASE_URL.',
      helpValue: 'URL',
    }),
    org: string({
      description: 'The organisation this server serves (default).',
      helpValue: 'NAME',
    }),
    'admin-email': string({
      description: 'The administrator made at the first start.',
      helpValue: 'ADDRESS',
    }),
    config: string({ description: 'Configuration file (vkit.server.yaml).', helpValue: 'FILE' }),
    'master-key-file': string({
      description: 'Holds the master secret of the credential vault; else VKIT_MASTER_KEY.',
      helpValue: 'FILE',
    }),
    'log-level': option({
      description: 'How much is logged, as JSON lines on stderr.',
      options: ['silent', 'error', 'warn', 'info', 'debug'] as const,
    })(),
    'allow-unsigned-bundles': boolean({
      description: 'Serve bundles without a signature.',
      hidden: true,
    }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(ServeCommand);
    const { runServer } = await import('../server/run-server.js');
    const environment = readEnvironment();
    const keys = list(environment.publicKeyFile, new RegExp(`[,${delimiter}]`));
    await runServer({
      version: this.config.version,
      cwd: process.cwd(),
      json: this.jsonEnabled(),
      onInterrupt: handleInterrupt,
      ...(flags.config === undefined ? {} : { file: flags.config }),
      ...(environment.adminPassword === undefined
        ? {}
        : { adminPassword: environment.adminPassword }),
      ...(environment.metricsToken === undefined ? {} : { metricsToken: environment.metricsToken }),
      // A flag wins over the environment.
      ...(environment.masterKey === undefined || flags['master-key-file'] !== undefined
        ? {}
        : { masterKey: environment.masterKey }),
      ...(environment.executorToken === undefined
        ? {}
        : { executorToken: environment.executorToken }),
      ...(environment.oidcClientSecret === undefined
        ? {}
        : { oidcClientSecret: environment.oidcClientSecret }),
      ...(environment.previousMasterKey === undefined
        ? {}
        : { previousMasterKey: environment.previousMasterKey }),
      proxy: environment.proxy,
      environment: compact({
        trusted_bundle_keys: keys,
        database_url: environment.databaseUrl,
        executor_urls: list(environment.executorUrl, ','),
        control_url: environment.apiUrl,
        grant_keys: list(environment.executorPublicKeyFile, new RegExp(`[,${delimiter}]`)),
        otlp_endpoint: environment.otlpEndpoint,
      }),
      flags: compact({
        role: flags.role,
        host: flags.host,
        port: flags.port,
        data_dir: flags['data-dir'],
        database_url: flags['database-url'],
        org: flags.org,
        admin_email: flags['admin-email'],
        master_key_file: flags['master-key-file'],
        log_level: flags['log-level'],
        allow_unsigned_bundles: flags['allow-unsigned-bundles'],
      }),
    });
    return PRINTED;
  }
}

function list(text: string | undefined, separator: string | RegExp): string[] | undefined {
  return text?.split(separator).filter((part) => part !== '');
}

function compact(
  values: { [K in keyof ServerConfig]?: ServerConfig[K] | undefined },
): Partial<ServerConfig> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as Partial<ServerConfig>;
}
