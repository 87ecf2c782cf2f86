import { VkitError } from '../../errors/index.js';
import type { Credentials } from '../contract.js';
import {
  choice,
  type ParsedUrl,
  type ReadParameter,
  text,
  wholeSeconds,
} from '../parse-server-url.js';
import { AUTHENTICATORS } from './options.js';

const EXAMPLE = 'snowflake://user:password@organisation-account/database/schema?warehouse=name';
const HOST_SUFFIX = /\.snowflakecomputing\.(?:com|cn)$/i;
const same = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, name]));

const PARAMETERS: Readonly<Record<string, ReadParameter>> = {
  warehouse: text('warehouse'),
  role: text('role'),
  authenticator: choice('authenticator', 'authenticator', same(AUTHENTICATORS)),
  private_key_file: text('private_key_file'),
  host: text('host'),
  port: (value, refuse) => {
    if (!/^[1-9]\d{0,4}$/.test(value)) throw refuse('has a port of no whole number');
    return ['port', Number(value)];
  },
  protocol: choice('protocol', 'protocol', same(['https', 'http'])),
  connect_timeout: wholeSeconds('connect_timeout'),
};

/**
 * Reads `snowflake://user:password@account/database/schema?warehouse=…`, the schema being optional. Throws `invalid_input`;
 * the message never repeats a part of the URL that could hold the password.
 */
export function parseSnowflakeUrl(url: string): ParsedUrl {
  if (!/^snowflake:\/\//i.test(url)) throw refuse('does not begin with snowflake://');
  // The parser of URLs makes an account's letters small, and refuses its underscores, only for schemes that it knows.
  if (!URL.canParse(url)) throw refuse('cannot be read; write %2F for / in a password');
  const parsed = new URL(url);
  const account = decode(parsed.hostname, 'account').replace(HOST_SUFFIX, '');
  const path = parsed.pathname.replace(/^\//, '').replace(/\/$/, '');
  const [database = '', schema, ...rest] = path.split('/').map((part) => decode(part, 'path'));
  if (account === '') throw refuse('names no account');
  if (parsed.port !== '')
    throw refuse('has a port beside the account; write ?host=…&port=… for another address');
  if (database === '') throw refuse('names no database');
  if (schema === '' || rest.length > 0) throw refuse('names more than a database and a schema');
  const config: Record<string, unknown> = { account, database };
  if (schema !== undefined) config.schema = schema;
  for (const [name, value] of parsed.searchParams) {
    const read = Object.hasOwn(PARAMETERS, name) ? PARAMETERS[name] : undefined;
    if (!read) throw refuse(`has a parameter other than ${Object.keys(PARAMETERS).join(', ')}`);
    const [key, setting] = read(value, refuse);
    config[key] = setting;
  }
  const credentials: Credentials = {};
  if (parsed.username !== '') credentials.username = decode(parsed.username, 'username');
  if (parsed.password !== '') credentials.password = decode(parsed.password, 'password');
  return { config, credentials };
}

function refuse(why: string): VkitError {
  return new VkitError('invalid_input', `The Snowflake URL ${why}.`, { hint: `Write ${EXAMPLE}.` });
}

function decode(encoded: string, part: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    // Without a cause: Node's error repeats its input.
    throw refuse(`has a % in its ${part} that is not written %25`);
  }
}
