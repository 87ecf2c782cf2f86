import { readFile } from 'node:fs/promises';
import { VkitError } from '../errors/index.js';
import type { ClaimMappings } from './oidc-claims.js';
import type { OidcSettings } from './oidc-provider.js';

/** `oidc` of the server's configuration, in its form. */
export interface OidcConfiguration {
  issuer: string;
  client_id: string;
  client_secret_file?: string;
  server_url: string;
  scopes?: readonly string[];
  algorithm?: string;
  users?: 'create' | 'existing';
  claims?: ClaimMappings & { email?: string };
}

const SCOPES = ['openid', 'profile', 'email'];

/** The settings with every default, and the client's secret from `secret` or its file. Throws `config_invalid`. */
export async function readOidcSettings(
  config: OidcConfiguration,
  secret: string | undefined,
): Promise<OidcSettings> {
  const { email = 'email', ...claims } = config.claims ?? {};
  const scopes = config.scopes ?? SCOPES;
  const clientSecret = secret ?? (await readSecretFile(config.client_secret_file));
  return {
    issuer: config.issuer,
    clientId: config.client_id,
    ...(clientSecret === undefined ? {} : { clientSecret }),
    serverUrl: config.server_url,
    // Without it, a provider speaks OAuth and says nothing of who somebody is.
    scopes: scopes.includes('openid') ? scopes : ['openid', ...scopes],
    algorithm: config.algorithm ?? 'RS256',
    users: config.users ?? 'existing',
    emailClaim: email,
    claims,
  };
}

async function readSecretFile(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new VkitError(
      'config_invalid',
      `The file ${path} of oidc.client_secret_file cannot be read.`,
      {
        cause,
      },
    );
  });
  const secret = text.replace(/\r?\n$/, '');
  if (secret !== '') return secret;
  throw new VkitError('config_invalid', `The file ${path} of oidc.client_secret_file is empty.`);
}
