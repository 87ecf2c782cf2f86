import { readFile } from 'node:fs/promises';
import { checkServerIdentity, type ConnectionOptions as TlsOptions } from 'node:tls';
import { VkitError } from '../errors/index.js';
import type { ConnectionTarget } from './contract.js';
import { SSL_MODE, SSL_MODES, type SslMode } from './server-options.js';

/** What of a datasource's configuration a connection takes. */
export interface ServerSettings {
  host: string;
  port: number;
  user: string;
  /** A function, so that the package looks neither into the environment nor into ~/.pgpass. */
  password: () => string;
  database: string;
  sslMode: SslMode;
  /** `false` is no TLS at all. */
  ssl: false | TlsOptions;
  connectTimeoutMs: number | undefined;
}

/** Reads a checked configuration; the root certificate's file is read here. */
export async function readServerSettings(
  target: ConnectionTarget,
  defaultPort: number,
): Promise<ServerSettings> {
  const { config, credentials, id } = target;
  const host = String(config.host);
  const sslMode = SSL_MODES.find((mode) => mode === config.ssl_mode) ?? SSL_MODE;
  if (!credentials.username) {
    const name = `VKIT_DS_${id.toUpperCase()}_USERNAME`;
    throw new VkitError('config_invalid', `The datasource "${id}" has no username.`, {
      hint: `Set ${name}, or store its credentials: vkit datasource add ${id}`,
    });
  }
  return {
    host,
    port: Number(config.port ?? defaultPort),
    user: credentials.username,
    password: () => credentials.password ?? '',
    database: String(config.database),
    sslMode,
    ssl: tlsOptions(sslMode, host, await readRootCertificate(target)),
    connectTimeoutMs:
      typeof config.connect_timeout === 'number' ? config.connect_timeout * 1000 : undefined,
  };
}

/** The modes as libpq has them: `require` verifies the certificate where a root is given. */
function tlsOptions(mode: SslMode, host: string, ca: string | undefined): false | TlsOptions {
  if (mode === 'disable') return false;
  const root = ca === undefined ? {} : { ca };
  if (mode === 'verify-full') {
    // The name is compared here: for an IP address the package would compare it with "localhost".
    return {
      ...root,
      rejectUnauthorized: true,
      checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate),
    };
  }
  const isVerified = mode === 'verify-ca' || (mode === 'require' && ca !== undefined);
  return { ...root, rejectUnauthorized: isVerified, checkServerIdentity: () => undefined };
}

async function readRootCertificate({ config, id }: ConnectionTarget): Promise<string | undefined> {
  if (typeof config.ssl_root_cert !== 'string') return undefined;
  try {
    return await readFile(config.ssl_root_cert, 'utf8');
  } catch (cause) {
    throw new VkitError(
      'config_invalid',
      `The root certificate of the datasource "${id}" cannot be read: ${config.ssl_root_cert}.`,
      { hint: 'Correct ssl_root_cert, or make the file readable.', cause },
    );
  }
}
