import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import schema from '../../schemas/vkit.server.schema.json' with { type: 'json' };
import { type Problem, VkitError } from '../errors/index.js';
import { checkSchema } from '../util/check-schema.js';
import { readYaml } from '../util/read-yaml.js';

/** The file `vkit serve` reads in its working directory when none is named. */
export const SERVER_CONFIG_FILE = 'vkit.server.yaml';

/** Where a server finds what it needs to listen over TLS: PEM files. */
export interface ServerTls {
  cert_file: string;
  key_file: string;
  /** The authority whose certificates clients must have; absent: clients need none. */
  client_ca?: string;
}

/** How a server runs, every default filled in; paths are absolute. */
export interface ServerConfig {
  host: string;
  port: number;
  data_dir: string;
  org: string;
  admin_email: string;
  trusted_bundle_keys: readonly string[];
  allow_unsigned_bundles: boolean;
  allow_dirty_bundles: boolean;
  file_directories: readonly string[];
  /** Holds the master secret of the vault; absent: VKIT_MASTER_KEY, or one that is made in the data directory. */
  master_key_file?: string;
  /** Hosts that passwords of the vault may be sent to without TLS that is verified. */
  clear_password_hosts: readonly string[];
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
  /** Absent: plain HTTP. */
  tls?: ServerTls;
  /** Addresses and networks of proxies whose `X-Forwarded-For` is believed. */
  trusted_proxies: readonly string[];
  /** Where backups are written. */
  backup_dir?: string;
  /** Where traces are sent over OTLP/HTTP; absent: nothing is traced. */
  otlp_endpoint?: string;
}

const DEFAULTS: ServerConfig = {
  host: '127.0.0.1',
  port: 3000,
  data_dir: '.vkit/server',
  org: 'default',
  admin_email: 'admin@localhost',
  trusted_bundle_keys: [],
  allow_unsigned_bundles: false,
  allow_dirty_bundles: false,
  file_directories: ['.'],
  clear_password_hosts: [],
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
  trusted_proxies: [],
};

const PATHS = [
  'data_dir',
  'trusted_bundle_keys',
  'file_directories',
  'master_key_file',
  'backup_dir',
] as const;

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
  return {
    ...absolutePaths(DEFAULTS, sources.cwd),
    ...fromFile,
    ...absolutePaths(sources.environment, sources.cwd),
    ...absolutePaths(sources.flags, sources.cwd),
  };
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
  if (result.tls) {
    const { cert_file, key_file, client_ca } = result.tls;
    result.tls = {
      cert_file: resolve(base, cert_file),
      key_file: resolve(base, key_file),
      ...(client_ca === undefined ? {} : { client_ca: resolve(base, client_ca) }),
    };
  }
  return result as T;
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
