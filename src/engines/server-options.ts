import { isIPv4 } from 'node:net';
import { STATEMENT_TIMEOUT } from './statement-timeout.js';

/** As libpq's; `prefer` is the default there and here: encrypted where the server can. */
export const SSL_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof SSL_MODES)[number];
export const SSL_MODE: SslMode = 'prefer';

/** What the `config` of every engine of servers has in common, as JSON Schema. */
export function serverProperties(port: number) {
  return {
    host: {
      type: 'string',
      minLength: 1,
      description: 'Name or address of the server, or the folder of its socket.',
    },
    port: { type: 'integer', minimum: 1, maximum: 65535, default: port },
    database: { type: 'string', minLength: 1 },
    ssl_mode: { enum: SSL_MODES, default: SSL_MODE },
    ssl_root_cert: {
      type: 'string',
      minLength: 1,
      description: 'Path of a PEM file with the certificates that are trusted.',
    },
    connect_timeout: { type: 'integer', minimum: 1, maximum: 9999, description: 'Seconds.' },
    statement_timeout: STATEMENT_TIMEOUT,
  } as const;
}

/**
 * The host of a configuration whose TLS nobody verifies: anybody on the way may ask it for the password. Without a root of
 * its own `verify-ca` takes the certificate of any site, and `require` every one.
 */
export function unverifiedHost(config: Readonly<Record<string, unknown>>): string | null {
  const { ssl_mode: mode, ssl_root_cert: root, host } = config;
  const hasRoot = typeof root === 'string';
  const isVerified =
    mode === 'verify-full' || (hasRoot && (mode === 'verify-ca' || mode === 'require'));
  return isVerified ? null : String(host);
}

/** This machine itself; a host that is a path is the folder of a socket. */
export function isLoopback(host: string): boolean {
  return /^(localhost|::1|\/.*)$/i.test(host) || (isIPv4(host) && host.startsWith('127.'));
}

/**
 * Whether a password may go to a server that asks for it in clear: over TLS that is verified, to this machine, or to a host
 * that whoever runs the server has named.
 */
export function takesClearPassword(
  config: Readonly<Record<string, unknown>>,
  hosts: readonly string[] = [],
): boolean {
  const host = unverifiedHost(config);
  if (host === null || isLoopback(host)) return true;
  return hosts.some((name) => name.toLowerCase() === host.toLowerCase());
}
