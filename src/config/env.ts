import { isAbsolute, join } from 'node:path';

/**
 * What vkit takes from the environment, under names of its own. A variable that is unset or empty is
 * absent. Secrets among them are handed on, never printed.
 */
export type Environment = {
  /** VKIT_API_URL: the server that commands talk to. */
  apiUrl?: string;
  /** VKIT_TOKEN: a bearer token; with it no login is needed. */
  token?: string;
  /** VKIT_PROFILE: which login to use. */
  profile?: string;
  /** VKIT_DEBUG: stack traces with errors. */
  debug: boolean;
  /** NO_COLOR (no-color.org): no colour, whatever its value. */
  noColor: boolean;
  /** npm_lifecycle_event: the script of a package.json that npm runs this for. */
  npmScript?: string;
  /** CI: a build server; nobody can answer a prompt. */
  ci: boolean;
  /** VKIT_PRIVATE_KEY, VKIT_PUBLIC_KEY, FUNL_PUBLIC_KEY: PEM files. */
  privateKeyFile?: string;
  publicKeyFile?: string;
  executorPublicKeyFile?: string;
  /** VKIT_MASTER_KEY: the vault's master secret. */
  masterKey?: string;
  /** VKIT_OIDC_CLIENT_SECRET: of the server at its identity provider. */
  oidcClientSecret?: string;
  /** VKIT_MASTER_KEY_PREVIOUS: the one before it, while the vault is rotated. */
  previousMasterKey?: string;
  /** VKIT_METRICS_TOKEN: what `/metrics` wants; unset: nothing. */
  metricsToken?: string;
  /** OTEL_EXPORTER_OTLP_ENDPOINT: where traces go. */
  otlpEndpoint?: string;
  /** VKIT_ADMIN_PASSWORD: of the first administrator. */
  adminPassword?: string;
  /** DATABASE_URL: the server's state in PostgreSQL. */
  databaseUrl?: string;
  /** FUNL_URL: where the executors are, separated by commas. */
  executorUrl?: string;
  /** VKIT_EXECUTOR_TOKEN: the secret that control plane and executors share. */
  executorToken?: string;
  /** XDG_CONFIG_HOME, or `.config` under HOME: where the credentials file lies. */
  configHome?: string;
  /** `vkit` under XDG_CACHE_HOME, or under `.cache` of HOME: what can be made again. */
  cacheDirectory?: string;
  /** VAULTKIT_BASE_URL, VAULTKIT_TOKEN, VAULTKIT_ORG: names the MCP server accepts too. */
  mcp: { baseUrl?: string; token?: string; org?: string };
  /** HTTPS_PROXY and NO_PROXY, or in lower case, which comes first as with curl. */
  proxy: { https?: string; except?: string };
  /** GITHUB_TOKEN, GITHUB_API_URL, GITHUB_SERVER_URL, GITHUB_REPOSITORY: as GitHub Actions sets them. */
  github: { token?: string; apiUrl?: string; serverUrl?: string; repository?: string };
};

type Variables = Readonly<Record<string, string | undefined>>;

/** Reads the environment once, at the edge; everything below gets what it needs as an argument. */
export function readEnvironment(env: Variables = process.env): Environment {
  const home = present(env.HOME) ?? present(env.USERPROFILE);
  return compact({
    apiUrl: present(env.VKIT_API_URL),
    token: present(env.VKIT_TOKEN),
    profile: present(env.VKIT_PROFILE),
    debug: isOn(env.VKIT_DEBUG),
    noColor: present(env.NO_COLOR) !== undefined,
    npmScript: present(env.npm_lifecycle_event),
    ci: isOn(env.CI),
    privateKeyFile: present(env.VKIT_PRIVATE_KEY),
    publicKeyFile: present(env.VKIT_PUBLIC_KEY),
    executorPublicKeyFile: present(env.FUNL_PUBLIC_KEY),
    masterKey: present(env.VKIT_MASTER_KEY),
    oidcClientSecret: present(env.VKIT_OIDC_CLIENT_SECRET),
    previousMasterKey: present(env.VKIT_MASTER_KEY_PREVIOUS),
    metricsToken: present(env.VKIT_METRICS_TOKEN),
    otlpEndpoint: present(env.OTEL_EXPORTER_OTLP_ENDPOINT),
    adminPassword: present(env.VKIT_ADMIN_PASSWORD),
    databaseUrl: present(env.DATABASE_URL),
    executorUrl: present(env.FUNL_URL),
    executorToken: present(env.VKIT_EXECUTOR_TOKEN),
    configHome:
      present(env.XDG_CONFIG_HOME) ?? (home === undefined ? undefined : `${home}/.config`),
    cacheDirectory: cacheDirectoryOf(present(env.XDG_CACHE_HOME), home),
    mcp: compact({
      baseUrl: present(env.VAULTKIT_BASE_URL),
      token: present(env.VAULTKIT_TOKEN),
      org: present(env.VAULTKIT_ORG),
    }),
    proxy: compact({
      https: present(env.https_proxy) ?? present(env.HTTPS_PROXY),
      except: present(env.no_proxy) ?? present(env.NO_PROXY),
    }),
    github: compact({
      token: present(env.GITHUB_TOKEN),
      apiUrl: present(env.GITHUB_API_URL),
      serverUrl: present(env.GITHUB_SERVER_URL),
      repository: present(env.GITHUB_REPOSITORY),
    }),
  });
}

/** One variable that a user's file names (a datasource's password); absent when unset or empty. */
export function readVariable(name: string, env: Variables = process.env): string | undefined {
  return present(env[name]);
}

function present(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value;
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && !['', '0', 'false', 'no'].includes(value.toLowerCase());
}

/** Drops keys whose value is `undefined`, so that absence looks the same everywhere. */
function compact<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as T;
}

/** A path that is not absolute is to be ignored (XDG Base Directory Specification). */
function cacheDirectoryOf(xdg: string | undefined, home: string | undefined): string | undefined {
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, 'vkit');
  return home === undefined ? undefined : join(home, '.cache', 'vkit');
}
