import { VkitError } from '../../errors/index.js';
import type { Credentials } from '../contract.js';
import { PORT, SSL_MODES } from './options.js';

type ParsedUrl = { config: Record<string, unknown>; credentials: Credentials };

const EXAMPLE = 'postgres://user:password@host:5432/database?sslmode=verify-full';

/** A parameter of the URL (libpq's name or the configuration's) and how it becomes configuration. */
const PARAMETERS: Readonly<Record<string, (value: string) => [name: string, value: unknown]>> = {
  sslmode: (value) => ['ssl_mode', oneOf(value, SSL_MODES, 'sslmode')],
  ssl_mode: (value) => ['ssl_mode', oneOf(value, SSL_MODES, 'ssl_mode')],
  sslrootcert: (value) => ['ssl_root_cert', value],
  ssl_root_cert: (value) => ['ssl_root_cert', value],
  connect_timeout: (value) => ['connect_timeout', wholeSeconds(value)],
  schema: (value) => ['schema', value],
};

/**
 * Reads `postgres://` and `postgresql://` URLs of one host. Throws `invalid_input`; the message never
 * repeats a part of the URL that could hold the password.
 */
export function parsePostgresUrl(text: string): ParsedUrl {
  const url = parseUrl(text);
  const database = decode(url.pathname.replace(/^\//, ''), 'database');
  const host = decode(url.hostname, 'host').replace(/^\[(.*)\]$/, '$1');
  if (database === '') throw refused('names no database');
  if (host === '') throw refused('names no host');
  const config: Record<string, unknown> = {
    host,
    port: url.port === '' ? PORT : Number(url.port),
    database,
  };
  for (const [name, value] of url.searchParams) {
    const read = Object.hasOwn(PARAMETERS, name) ? PARAMETERS[name] : undefined;
    if (!read) throw refused(`has a parameter other than ${Object.keys(PARAMETERS).join(', ')}`);
    const [key, setting] = read(value);
    config[key] = setting;
  }
  const credentials: Credentials = {};
  if (url.username !== '') credentials.username = decode(url.username, 'username');
  if (url.password !== '') credentials.password = decode(url.password, 'password');
  return { config, credentials };
}

function parseUrl(text: string): URL {
  // Without a cause: Node's error repeats its input.
  if (!URL.canParse(text)) throw refused('cannot be read; write %2F for / in a password');
  const url = new URL(text);
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') {
    throw refused('begins with neither postgres:// nor postgresql://');
  }
  return url;
}

function decode(text: string, part: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Without a cause, as above.
    throw refused(`has a % in its ${part} that is not written %25`);
  }
}

function oneOf(value: string, allowed: readonly string[], name: string): string {
  if (!allowed.includes(value)) throw refused(`has a ${name} other than ${allowed.join(', ')}`);
  return value;
}

function wholeSeconds(value: string): number {
  if (!/^[1-9]\d{0,3}$/.test(value)) throw refused('has a connect_timeout of no whole seconds');
  return Number(value);
}

function refused(why: string): VkitError {
  return new VkitError('invalid_input', `The PostgreSQL URL ${why}.`, {
    hint: `Write ${EXAMPLE}.`,
  });
}
