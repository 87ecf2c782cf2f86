import { setTimeout as wait } from 'node:timers/promises';
import type { BundleDatasource } from '../bundle/model.js';
import type { Credentials, Engine } from '../engines/contract.js';
import { VkitError } from '../errors/index.js';
import { parseAddressList } from '../util/address-list.js';
import type { AddressRules } from '../util/outbound.js';
import { createOutboundFetch } from '../util/outbound-fetch.js';
import type { ProxySettings } from '../util/proxied-fetch.js';
import { type BackendConfigs, type BackendName, openBackend } from '../vault/backends/index.js';
import {
  backendCredentials,
  type ConfiguredBackend,
  type CredentialRule,
  checkRules,
} from './backend-credentials.js';
import { readSecretSource } from './read-secret-source.js';

export type CredentialBackendConfigs = {
  [N in BackendName]?: BackendConfigs[N] & { allow?: readonly CredentialRule[] };
} & { env?: { allow: readonly CredentialRule[] } };

export interface CredentialBackendOptions {
  configs: CredentialBackendConfigs;
  rules: AddressRules;
  proxy?: ProxySettings;
  variable: (name: string) => string | undefined;
  forbiddenDirectories: readonly string[];
  clearPasswordHosts: readonly string[];
}

export interface CredentialBackends {
  /** The login of a datasource, fetched now. Throws `secret_unavailable`. */
  credentials(datasource: BundleDatasource, engine: Engine): Promise<Credentials>;
  /** Throws `secret_unavailable` where the server's file has rules for the environment and none allows this datasource. */
  checkEnvironment(datasource: BundleDatasource, engine: Engine): void;
  close(): Promise<void>;
}

/** The backends of the server's file; one that is not named there is refused. Throws `config_invalid`. */
export function openCredentialBackends(options: CredentialBackendOptions): CredentialBackends {
  const { configs, rules, proxy, variable, forbiddenDirectories, clearPasswordHosts } = options;
  const clients = new Map<string, ReturnType<typeof createOutboundFetch>>();
  const deps = {
    forbiddenDirectories,
    wait: (milliseconds: number) => wait(milliseconds),
    secret: (source: Parameters<typeof readSecretSource>[0], key: string) =>
      readSecretSource(source, key, variable),
    outbound: (ca: string | undefined) => {
      const known = clients.get(ca ?? '');
      const client =
        known ?? createOutboundFetch({ rules, ...(proxy && { proxy }), ...(ca && { ca }) });
      clients.set(ca ?? '', client);
      return client.fetch;
    },
  };
  const opened = new Map<string, ConfiguredBackend>();
  const open = <N extends BackendName>(
    name: N,
    config: (BackendConfigs[N] & { allow?: readonly CredentialRule[] }) | undefined,
  ) => {
    if (!config) return;
    const { allow = [] } = config;
    for (const { hosts } of allow) parseAddressList(hosts, `credential_backends.${name}.allow`);
    opened.set(name, { rules: allow, backend: openBackend(name, config, rules, deps) });
  };
  open('file', configs.file);
  open('vault', configs.vault);
  open('aws-secrets', configs['aws-secrets']);
  return {
    async credentials(datasource, engine) {
      if (!engine.needsCredentials) return {};
      const { credentials = 'env', name } = datasource;
      const configured = opened.get(credentials);
      if (configured) {
        return backendCredentials({ datasource, engine, configured, clearPasswordHosts });
      }
      throw new VkitError(
        'secret_unavailable',
        `The credentials of datasource ${name} are in a backend that the server does not have.`,
        {
          hint: `Whoever runs the server names credential_backends.${credentials.slice(0, 32)} in vkit.server.yaml.`,
        },
      );
    },
    checkEnvironment(datasource, engine) {
      if (configs.env && engine.needsCredentials) checkRules(datasource, engine, configs.env.allow);
    },
    async close() {
      await Promise.all([...clients.values()].map((client) => client.close()));
    },
  };
}
