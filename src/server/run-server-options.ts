import type { ServerConfig } from '../config/server-config.js';

/** What `vkit serve` was given, by whatever role it runs. */
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
  /** VKIT_METRICS_TOKEN: what `/metrics` wants. */
  metricsToken?: string;
  environment: Partial<ServerConfig>;
  flags: Partial<ServerConfig>;
  /** Called with what ends the server at Ctrl-C; gives back what makes Ctrl-C end the process again. SIGTERM is handled here. */
  onInterrupt?: (stop: () => void) => () => void;
}
