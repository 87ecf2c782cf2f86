import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import schema from '../../schemas/vkit.server.schema.json' with { type: 'json' };
import { type Problem, VkitError } from '../errors/index.js';
import { checkSchema } from '../util/check-schema.js';
import { readYaml } from '../util/read-yaml.js';
import {
  AUDIT_DEFAULTS,
  type AuditConfig,
  type AuditSinkConfig,
  auditProblems,
} from './audit-config.js';

/** The file `vkit serve` reads in its working directory when none is named. */
export const SERVER_CONFIG_FILE = 'vkit.server.yaml';

/** `oidc`: people log in through an identity provider; see docs/how-to/log-in-with-oidc.md. */
export interface OidcConfig {
  issuer: string;
  client_id: string;
  client_secret_file?: string;
  server_url: string;
  scopes?: readonly string[];
  algorithm?: 'RS256' | 'PS256' | 'ES256' | 'Ed25519' | 'EdDSA';
  users?: 'create' | 'existing';
  claims?: {
    email?: string;
    roles?: { claim: string; map: Readonly<Record<string, string | readonly string[]>> };
    clearance?: OidcClaim;
    region?: OidcClaim;
    purposes?: OidcClaim;
  };
}

/** Where a server finds what it needs to listen over TLS: PEM files. */
export interface ServerTls {
  cert_file: string;
  key_file: string;
  /** The authority whose certificates clients must have; absent: clients need none. */
  client_ca?: string;
}

interface OidcClaim {
  claim: string;
  map?: Readonly<Record<string, string | readonly string[]>>;
}

/** How a server runs, every default filled in; paths are absolute. */
export interface ServerConfig {
  /** Both planes in one process, or one of them. */
  role: 'all' | 'control' | 'executor';
  host: string;
  port: number;
  data_dir: string;
  org: string;
  admin_email: string;
  trusted_bundle_keys: readonly string[];
  allow_unsigned_bundles: boolean;
  allow_dirty_bundles: boolean;
  file_directories: readonly string[];
  /** The state is in this PostgreSQL. It may hold a password: the file has no such key, and it is never printed. */
  database_url?: string;
  /** Holds the master secret of the vault; absent: VKIT_MASTER_KEY, or one that is made in the data directory. */
  master_key_file?: string;
  /** Hold master secrets that were used before: they still open what they sealed. */
  previous_master_key_files: readonly string[];
  /** Hosts that passwords of the vault may be sent to without TLS that is verified. */
  clear_password_hosts: readonly string[];
  /** Where a control plane finds its executors, and an executor is found: each has its own address first. */
  executor_urls: readonly string[];
  /** Where an executor finds its control plane. */
  control_url: string;
  /** What an executor verifies grants with: PEM files of public keys, or JWK Sets. */
  grant_keys: readonly string[];
  /** Networks and hosts of databases that are connected to; absent: any. */
  datasource_addresses?: readonly string[];
  /** Networks and hosts that are not public and that the server may call all the same. */
  private_addresses: readonly string[];
  /** Where logins of datasources are kept outside, each backend as the schema says. */
  credential_backends?: Nested;
  /** Whom people are told by of what waits for them; each channel as the schema says. */
  notifications?: { channels: readonly ({ name: string; type: string } & Nested)[] };
  row_cap: number;
  statement_timeout_seconds: number;
  session_ttl_seconds: number;
  request_ttl_seconds: number;
  stream_deadline_seconds: number;
  stream_stall_seconds: number;
  stream_bytes_per_second_min: number;
  requests_per_minute: number;
  queries_per_requester: number;
  log_level: 'silent' | 'error' | 'warn' | 'info' | 'debug';
  /** Absent: people log in with passwords alone. */
  oidc?: OidcConfig;
  audit: AuditConfig;
  /** Absent: plain HTTP. */
  tls?: ServerTls;
  /** Addresses and networks of proxies whose `X-Forwarded-For` is believed. */
  trusted_proxies: readonly string[];
  /** Where backups are written. */
  backup_dir?: string;
  /** Where traces are sent over OTLP/HTTP; absent: nothing is traced. */
  otlp_endpoint?: string;
}

/** What a key of the file holds below itself. */
type Nested = Readonly<Record<string, unknown>>;

const DEFAULTS: ServerConfig = {
  role: 'all',
  host: '127.0.0.1',
  port: 3000,
  data_dir: '.vkit/server',
  org: 'default',
  admin_email: 'admin@localhost',
  trusted_bundle_keys: [],
  allow_unsigned_bundles: false,
  allow_dirty_bundles: false,
  file_directories: ['.'],
  previous_master_key_files: [],
  clear_password_hosts: [],
  executor_urls: [],
  control_url: 'http://localhost:3000',
  grant_keys: [],
  private_addresses: [],
  row_cap: 10_000,
  statement_timeout_seconds: 30,
  session_ttl_seconds: 12 * 3600,
  request_ttl_seconds: 24 * 3600,
  stream_deadline_seconds: 3600,
  stream_stall_seconds: 30,
  stream_bytes_per_second_min: 1024,
  requests_per_minute: 30_000,
  queries_per_requester: 8,
  log_level: 'info',
  audit: AUDIT_DEFAULTS,
  trusted_proxies: [],
};

/** The port of an executor, where none is named. */
const EXECUTOR_PORT = 8080;

const PATHS = [
  'data_dir',
  'trusted_bundle_keys',
  'file_directories',
  'master_key_file',
  'grant_keys',
  'previous_master_key_files',
  'backup_dir',
] as const;

const NESTED = ['notifications', 'credential_backends'] as const;

export interface ServerConfigSources {
  /** The working directory: where relative paths of the environment and the flags start. */
  cwd: string;
  /** `--config`; a file that is named must exist. */
  file?: string;
  environment: Partial<ServerConfig>;
  flags: Partial<ServerConfig>;
}

/**
 * The file, then the environment, then the flags, later ones winning. Relative paths of the file start at the file.
 * Throws `config_invalid` with every problem of the file, each naming its key, line and column.
 */
export async function loadServerConfig(sources: ServerConfigSources): Promise<ServerConfig> {
  const path = resolve(sources.cwd, sources.file ?? SERVER_CONFIG_FILE);
  const text = await readOptional(path, sources.file !== undefined);
  const fromFile = text === null ? {} : absolutePaths(parseServerConfig(text, path), dirname(path));
  const given = {
    ...fromFile,
    ...absolutePaths(sources.environment, sources.cwd),
    ...absolutePaths(sources.flags, sources.cwd),
  };
  const port = given.role === 'executor' ? { port: EXECUTOR_PORT } : {};
  const audit = { ...AUDIT_DEFAULTS, ...fromFile.audit };
  return { ...absolutePaths(DEFAULTS, sources.cwd), ...port, ...given, audit };
}

function parseServerConfig(text: string, file: string): Partial<ServerConfig> {
  const yaml = readYaml(text);
  const problems: Problem[] = yaml.findings.map(({ line, column, code, message }) => ({
    file,
    line,
    column,
    code,
    message,
  }));
  const value = yaml.value ?? {};
  if (problems.length === 0) {
    for (const { path, code, message, suggestion } of checkSchema(schema, value)) {
      problems.push({
        file,
        ...yaml.positionOf(path, 'key'),
        code,
        message,
        ...(suggestion === undefined ? {} : { suggestion }),
      });
    }
  }
  if (problems.length === 0) {
    const { audit } = value as { audit?: Partial<AuditConfig> };
    for (const { path, message } of auditProblems(audit ?? {})) {
      const at = yaml.positionOf(path, 'key');
      problems.push({ file, ...at, code: 'wrong_value', message });
    }
  }
  if (problems.length === 0) return value as Partial<ServerConfig>;
  throw new VkitError('config_invalid', `The server's configuration ${file} is not valid.`, {
    details: { problems },
  });
}

function absolutePaths<T extends Partial<ServerConfig>>(config: T, base: string): T {
  const result: Partial<ServerConfig> = { ...config };
  for (const key of PATHS) {
    const value = result[key];
    if (value === undefined) continue;
    Object.assign(result, {
      [key]:
        typeof value === 'string' ? resolve(base, value) : value.map((one) => resolve(base, one)),
    });
  }
  const { oidc } = config;
  if (oidc?.client_secret_file !== undefined) {
    result.oidc = { ...oidc, client_secret_file: resolve(base, oidc.client_secret_file) };
  }
  if (config.audit?.sinks) {
    const sinks = config.audit.sinks.map((sink) => absoluteSink(sink, base));
    result.audit = { ...config.audit, sinks };
  }
  if (result.tls) {
    const { cert_file, key_file, client_ca } = result.tls;
    result.tls = {
      cert_file: resolve(base, cert_file),
      key_file: resolve(base, key_file),
      ...(client_ca === undefined ? {} : { client_ca: resolve(base, client_ca) }),
    };
  }
  for (const key of NESTED) {
    if (result[key] !== undefined)
      Object.assign(result, { [key]: absoluteFiles(result[key], base) });
  }
  return result as T;
}

function absoluteSink(sink: AuditSinkConfig, base: string): AuditSinkConfig {
  const paths = Object.entries(sink).filter(
    (entry): entry is [string, string] =>
      (entry[0] === 'path' || entry[0].endsWith('_file')) && typeof entry[1] === 'string',
  );
  return { ...sink, ...Object.fromEntries(paths.map(([key, path]) => [key, resolve(base, path)])) };
}

/** The same for keys that name a file at any depth; the schema bounds it. */
function absoluteFiles(value: unknown, base: string): unknown {
  if (Array.isArray(value)) return value.map((one) => absoluteFiles(one, base));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key,
      key === 'directories' && Array.isArray(one)
        ? one.map((path) => resolve(base, String(path)))
        : /^(?:.*_)?file$/.test(key) && typeof one === 'string'
          ? resolve(base, one)
          : absoluteFiles(one, base),
    ]),
  );
}

async function readOptional(path: string, required: boolean): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT' && !required) return null;
    throw new VkitError('config_invalid', `The server's configuration ${path} cannot be read.`, {
      cause,
    });
  }
}
