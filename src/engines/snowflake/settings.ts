import { createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { VkitError } from '../../errors/index.js';
import type { ConnectionTarget } from '../contract.js';
import { AUTHENTICATORS, type Authenticator } from './options.js';

/** A private key's file is a few kilobytes. */
const KEY_CHARACTERS_MAX = 64 * 1024;
const LOOPBACK: readonly string[] = ['localhost', '127.0.0.1'];

/** What of a datasource's configuration a connection takes. */
export interface SnowflakeSettings {
  account: string;
  database: string;
  schema: string;
  warehouse: string | undefined;
  role: string | undefined;
  username: string;
  authenticator: Authenticator;
  /** What proves the login: a password, a token, or a PEM that is no longer encrypted. */
  proof: { password: string } | { token: string } | { privateKey: string };
  /** `undefined` for the account's own host. */
  address: { host: string; port: number | undefined; protocol: string } | undefined;
  connectTimeoutMs: number | undefined;
  /** Everything that no message may hold. */
  secrets: readonly string[];
}

/**
 * Reads a checked configuration, the private key's file included. Throws `config_invalid` for a login that is not
 * complete, and for a password that would leave this machine in clear.
 */
export async function readSnowflakeSettings(target: ConnectionTarget): Promise<SnowflakeSettings> {
  const { config, credentials, id } = target;
  const optional = (key: string) => (typeof config[key] === 'string' ? config[key] : undefined);
  if (!credentials.username) throw noLogin(id, 'username', 'USERNAME');
  const keyFile = optional('private_key_file');
  const authenticator =
    AUTHENTICATORS.find((one) => one === config.authenticator) ??
    (keyFile === undefined ? 'snowflake' : 'snowflake_jwt');
  const given = credentials.password ?? '';
  const proof = await proofOf(id, authenticator, given, keyFile);
  return {
    account: String(config.account),
    database: String(config.database),
    schema: optional('schema') ?? 'PUBLIC',
    warehouse: optional('warehouse'),
    role: optional('role'),
    username: credentials.username,
    authenticator,
    proof,
    address: addressOf(target),
    connectTimeoutMs:
      typeof config.connect_timeout === 'number' ? config.connect_timeout * 1000 : undefined,
    secrets: [given, ...Object.values(proof)].filter((secret) => secret !== ''),
  };
}

async function proofOf(
  id: string,
  authenticator: Authenticator,
  given: string,
  keyFile: string | undefined,
): Promise<SnowflakeSettings['proof']> {
  if (authenticator === 'snowflake_jwt') {
    if (keyFile !== undefined) return { privateKey: await readPrivateKey(id, keyFile, given) };
    throw new VkitError(
      'config_invalid',
      `The datasource "${id}" logs in by key pair and names no private key.`,
      {
        hint: 'Name its PEM file as private_key_file; the password is the passphrase of the file.',
      },
    );
  }
  if (given === '')
    throw noLogin(id, authenticator === 'snowflake' ? 'password' : 'token', 'PASSWORD');
  return authenticator === 'snowflake' ? { password: given } : { token: given };
}

/** The key as PKCS #8 PEM; Node's own error is not kept, since it may say something of the key. */
async function readPrivateKey(id: string, path: string, passphrase: string): Promise<string> {
  let pem: string;
  try {
    pem = (await readFile(path, 'utf8')).slice(0, KEY_CHARACTERS_MAX);
  } catch (cause) {
    throw new VkitError(
      'config_invalid',
      `The private key of the datasource "${id}" cannot be read: ${path}.`,
      { hint: 'Correct private_key_file, or make the file readable.', cause },
    );
  }
  let key: ReturnType<typeof createPrivateKey>;
  try {
    key = createPrivateKey({ key: pem, format: 'pem', passphrase });
  } catch {
    throw new VkitError(
      'config_invalid',
      `The file ${path} of the datasource "${id}" holds no private key that its passphrase opens.`,
      {
        hint: `Write a PEM file; its passphrase, where it has one, is VKIT_DS_${id.toUpperCase()}_PASSWORD.`,
      },
    );
  }
  if (key.asymmetricKeyType !== 'rsa') {
    throw new VkitError(
      'config_invalid',
      `The private key of the datasource "${id}" is no RSA key, which Snowflake asks for.`,
      { hint: 'Make one as Snowflake describes it: openssl genrsa 2048.' },
    );
  }
  return key.export({ format: 'pem', type: 'pkcs8' }).toString();
}

function addressOf({ id, config }: ConnectionTarget): SnowflakeSettings['address'] {
  const protocol = config.protocol === 'http' ? 'http' : 'https';
  const host = typeof config.host === 'string' ? config.host : undefined;
  if (protocol === 'http' && !LOOPBACK.includes(host ?? '')) {
    throw new VkitError(
      'config_invalid',
      `The datasource "${id}" would send its login in clear to another machine.`,
      { hint: 'Leave protocol out: https is the default.' },
    );
  }
  if (host === undefined) return undefined;
  return { host, port: typeof config.port === 'number' ? config.port : undefined, protocol };
}

function noLogin(id: string, what: string, variable: string): VkitError {
  return new VkitError('config_invalid', `The datasource "${id}" has no ${what}.`, {
    hint: `Set VKIT_DS_${id.toUpperCase()}_${variable}, or store its credentials: vkit datasource add ${id}`,
  });
}
