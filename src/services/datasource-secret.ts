import type { Credentials, Engine } from '../engines/contract.js';
import { VkitError } from '../errors/index.js';
import type { CredentialSource } from '../project/parse-datasource-file.js';

/** What the environment says of a datasource (`VKIT_DS_<ID>_USERNAME`, `_PASSWORD`, `_URL`). */
export interface DatasourceVariables {
  username?: string;
  password?: string;
  url?: string;
}

export interface SecretInput {
  id: string;
  engine: Engine;
  config: Readonly<Record<string, unknown>>;
  credentials: CredentialSource | string;
  variables: (id: string) => DatasourceVariables;
}

/**
 * The secret that opens a datasource, from the environment. A URL only adds the secret: where it names another address
 * than the reviewed file, nothing is sent there, and the error names the keys that differ, never their values. Throws
 * `config_invalid` for that and for a login that is not there, `unsupported` for secrets that are kept elsewhere.
 */
export function datasourceSecret(input: SecretInput): Credentials {
  const { id, engine, config, credentials } = input;
  if (!engine.needsCredentials) return {};
  const prefix = `VKIT_DS_${id.toUpperCase()}`;
  if (credentials !== 'env') {
    const where = typeof credentials === 'string' ? credentials : credentials.backend;
    throw new VkitError(
      'unsupported',
      `The credentials of datasource "${id}" are kept elsewhere (${where}), where only the server reads them.`,
      {
        hint:
          credentials === 'vaultkit'
            ? `Log in where they are: vkit login — or write "credentials: env" in its file and set ${prefix}_USERNAME and ${prefix}_PASSWORD.`
            : `Let the server connect: vkit datasource test ${id} --remote, or vkit scan ${id} --remote`,
      },
    );
  }
  const { url, ...given } = input.variables(id);
  const parsed = url === undefined ? undefined : readUrl(engine, url, `${prefix}_URL`);
  if (parsed !== undefined) {
    const differing = Object.entries(parsed.config)
      .filter(([key, value]) => !sameSetting(engine, key, config[key], value))
      .map(([key]) => key);
    if (differing.length > 0) {
      throw new VkitError(
        'config_invalid',
        `${prefix}_URL and the file of datasource "${id}" differ in ${differing.join(', ')}.`,
        { hint: 'Correct the one that is wrong; the reviewed file says where vkit connects to.' },
      );
    }
  }
  const found: Credentials = { ...parsed?.credentials, ...given };
  if (found.username === undefined) {
    throw new VkitError('config_invalid', `The datasource "${id}" has no username.`, {
      hint: `Set ${prefix}_USERNAME and ${prefix}_PASSWORD, or ${prefix}_URL.`,
    });
  }
  return found;
}

/** A URL of the environment that cannot be read is a wrong configuration, not what somebody typed. */
function readUrl(engine: Engine, url: string, variable: string): ReturnType<Engine['parseUrl']> {
  try {
    return engine.parseUrl(url);
  } catch (error) {
    if (!(error instanceof VkitError) || error.code !== 'invalid_input') throw error;
    const { message, hint } = error;
    throw new VkitError('config_invalid', `${variable}: ${message}`, hint ? { hint } : {});
  }
}

/** What the file leaves out has the engine's default. */
function sameSetting(engine: Engine, key: string, reviewed: unknown, given: unknown): boolean {
  const properties = (engine.configSchema.properties ?? {}) as Record<
    string,
    { default?: unknown }
  >;
  const effective = reviewed ?? properties[key]?.default;
  return JSON.stringify(effective) === JSON.stringify(given);
}
