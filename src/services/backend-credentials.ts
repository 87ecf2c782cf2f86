import type { BundleDatasource } from '../bundle/model.js';
import type { Credentials, Engine } from '../engines/contract.js';
import { VkitError } from '../errors/index.js';
import { parseAddressList } from '../util/address-list.js';
import type { SecretBackend } from '../vault/backends/backend.js';
import { UNSAFE_HINT, unsafeHost } from './datasource-vault.js';

/** Which secrets may go to which hosts: whoever edits datasources chooses both, and whoever runs the server says what goes together. */
export interface CredentialRule {
  /** A path, or with `/` at its end all below it; `{id}` stands for the datasource's id. */
  path: string;
  /** Names as the datasource has them, addresses, or networks of addresses. */
  hosts: readonly string[];
}

/** A backend as the server's file has it. */
export interface ConfiguredBackend {
  rules: readonly CredentialRule[];
  /** Absent for `env`, whose variables are read as everywhere. */
  backend?: SecretBackend;
}

/** Paths of backends: letters of names, `/` between them; ARNs of AWS have colons. */
const PATH = /^[\w.+=@:-]+(?:\/[\w.+=@:-]+)*$/;
const PATH_CHARACTERS_MAX = 1024;

export interface BackendCredentialsInput {
  datasource: BundleDatasource;
  engine: Engine;
  configured: ConfiguredBackend;
  clearPasswordHosts: readonly string[];
}

/**
 * The login of a datasource from its backend, fetched now. Throws `secret_unavailable` where a rule does not let this secret go to this
 * host, before anything is fetched; where the password could go unprotected; and whatever the backend throws.
 */
export async function backendCredentials(input: BackendCredentialsInput): Promise<Credentials> {
  const { datasource, engine, configured, clearPasswordHosts } = input;
  checkRules(datasource, engine, configured.rules);
  const { name: id, credentials = 'env', credentials_at: at, config } = datasource;
  if (unsafeHost(config, engine, clearPasswordHosts) !== null) {
    throw refused(
      `The password of datasource ${id} is sent only with TLS that is verified.`,
      UNSAFE_HINT,
    );
  }
  const fields = await configured.backend?.read({ id, path: pathOf(datasource) });
  const { username_key: userKey = 'username', password_key: passwordKey = 'password' } = at ?? {};
  const found = fields ?? {};
  const username = Object.hasOwn(found, userKey) ? found[userKey] : undefined;
  const password = Object.hasOwn(found, passwordKey) ? found[passwordKey] : undefined;
  const missing = [
    ...(username === undefined ? [userKey] : []),
    ...(password === undefined ? [passwordKey] : []),
  ];
  if (missing.length > 0) {
    throw refused(
      `The secret of datasource ${id} in ${credentials} has no text ${missing.join(' and ')}.`,
      'Write it there, or name the keys as username_key and password_key in the file of the datasource.',
    );
  }
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
}

/** Throws `secret_unavailable` unless a rule lets the datasource's secret go to its host. */
export function checkRules(
  datasource: BundleDatasource,
  engine: Engine,
  rules: readonly CredentialRule[],
): void {
  const { name: id, credentials = 'env', config } = datasource;
  const path = pathOf(datasource);
  const host = String(engine.hostDialled?.(config) ?? config.host ?? '');
  const isAllowed = rules.some(
    (rule) => covers(rule.path.replaceAll('{id}', id), path) && listsHost(rule.hosts, host),
  );
  if (isAllowed) return;
  const key = `credential_backends.${credentials}.allow`;
  throw refused(
    `No rule of ${key} lets the secret of datasource ${id} go to its host.`,
    `Whoever runs the server adds {path: …, hosts: […]} there, if this secret is for this host.`,
  );
}

function pathOf({ name, credentials_at: at }: BundleDatasource): string {
  const path = at?.path ?? name;
  const isPlain = path.length <= PATH_CHARACTERS_MAX && PATH.test(path);
  // A server that takes dots for a way up would read another secret than the rule is of.
  if (isPlain && path.split('/').every((part) => !/^\.+$/.test(part))) return path;
  throw refused(
    `The path of the secret of datasource ${name} is not one.`,
    'Write names with / between them, without . and .. among them.',
  );
}

function covers(rule: string, path: string): boolean {
  return rule.endsWith('/') ? path.startsWith(rule) && path.length > rule.length : rule === path;
}

function listsHost(hosts: readonly string[], host: string): boolean {
  // The folder of a socket is this machine.
  const place = host.startsWith('/') ? 'localhost' : host;
  const list = parseAddressList(hosts, 'hosts');
  return place !== '' && (list.hasName(place) || list.hasAddress(place));
}

function refused(message: string, hint: string): VkitError {
  return new VkitError('secret_unavailable', message, { hint });
}
