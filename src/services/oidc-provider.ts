import type { Configuration } from 'openid-client';
import { VkitError } from '../errors/index.js';
import { isLoopbackHost } from '../util/outbound.js';
import {
  attributesFromClaims,
  type ClaimedAttributes,
  type ClaimMappings,
  type Claims,
  claimOf,
} from './oidc-claims.js';

export interface OidcSettings {
  issuer: string;
  clientId: string;
  /** Absent: a public client, which PKCE alone protects. */
  clientSecret?: string;
  /** The address at which browsers reach this server. */
  serverUrl: string;
  scopes: readonly string[];
  /** The one algorithm that ID tokens may be signed with. */
  algorithm: string;
  /** Whether a first login makes the account, or somebody must have made it. */
  users: 'create' | 'existing';
  /** The claim with the address of a person. */
  emailClaim: string;
  claims: ClaimMappings;
}

/** What only the server and one browser know of one login; each of it is as hard to guess as the others. */
export interface OidcSecrets {
  state: string;
  nonce: string;
  /** Of PKCE (RFC 7636). */
  verifier: string;
}

export interface OidcPerson {
  /** Issuer and subject, as JSON: what a person is known by for good. */
  subject: string;
  /** Lower case; null where the provider has not verified it. */
  email: string | null;
  attributes: ClaimedAttributes;
}

/** The identity provider, with this server as its client (OpenID Connect Core 1.0, code flow with PKCE). */
export interface OidcProvider {
  readonly issuer: string;
  readonly users: OidcSettings['users'];
  /** What its claims say of an account, and nobody here. */
  readonly attributes: readonly (keyof ClaimMappings)[];
  /** Where a browser begins, on this server. */
  readonly authorizeUrl: string;
  /** Where the browser logs in. Throws `unavailable` where the provider cannot be asked. */
  begin(secrets: OidcSecrets): Promise<URL>;
  /**
   * Who came back, after signature, algorithm, issuer, audience, times, state and nonce were checked. Throws `forbidden`
   * where the provider says no, `unauthenticated` where its answer does not verify, `unavailable` where it cannot be asked.
   */
  finish(query: URLSearchParams, secrets: OidcSecrets): Promise<OidcPerson>;
}

/** Where the two steps of a login in a browser are, below the server's address. */
export const CLI_LOGIN_PATH = '/api/v1/auth/cli';

const TIMEOUT_SECONDS = 10;
/** How far the clocks of provider and server may be apart. */
const LEEWAY_SECONDS = 60;
const EMAIL = /^[^\s@\p{C}]+@[^\s@\p{C}]+$/u;
const EMAIL_CHARACTERS_MAX = 254;

/** Throws `config_invalid` for an address that is not https, loopback aside. Nothing is asked before the first login. */
export function createOidcProvider(settings: OidcSettings): OidcProvider {
  checkAddress(settings.issuer, 'oidc.issuer');
  checkAddress(settings.serverUrl, 'oidc.server_url');
  const base = `${settings.serverUrl.replace(/\/+$/, '')}${CLI_LOGIN_PATH}`;
  const redirectUri = `${base}/callback`;
  const configuration = rememberSuccess(() => discover(settings));
  return {
    issuer: settings.issuer,
    users: settings.users,
    attributes: (['roles', 'clearance', 'region', 'purposes'] as const).filter(
      (name) => settings.claims[name] !== undefined,
    ),
    authorizeUrl: `${base}/authorize`,
    async begin({ state, nonce, verifier }) {
      const { buildAuthorizationUrl, calculatePKCECodeChallenge } = await import('openid-client');
      return buildAuthorizationUrl(await configuration(), {
        redirect_uri: redirectUri,
        scope: settings.scopes.join(' '),
        state,
        nonce,
        code_challenge: await calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      });
    },
    async finish(query, secrets) {
      const config = await configuration();
      try {
        return await personOf(config, settings, new URL(`${redirectUri}?${query}`), secrets);
      } catch (error) {
        throw refusal(error);
      }
    },
  };
}

async function discover(settings: OidcSettings): Promise<Configuration> {
  const client = await import('openid-client');
  const issuer = new URL(settings.issuer);
  const insecure = issuer.protocol === 'http:' ? [client.allowInsecureRequests] : [];
  try {
    const found = await client.discovery(issuer, settings.clientId, undefined, client.None(), {
      execute: insecure,
      timeout: TIMEOUT_SECONDS,
    });
    const server = found.serverMetadata();
    const config = new client.Configuration(
      server,
      settings.clientId,
      {
        id_token_signed_response_alg: settings.algorithm,
        [client.clockTolerance]: LEEWAY_SECONDS,
      },
      clientAuthentication(client, settings, server.token_endpoint_auth_methods_supported),
    );
    config.timeout = TIMEOUT_SECONDS;
    for (const allow of insecure) allow(config);
    // Without it, the library trusts TLS to the token endpoint in place of the signature.
    client.enableNonRepudiationChecks(config);
    return config;
  } catch (cause) {
    throw unavailable(cause);
  }
}

function clientAuthentication(
  client: typeof import('openid-client'),
  { clientSecret }: OidcSettings,
  supported: readonly string[] | undefined,
) {
  if (clientSecret === undefined) return client.None();
  // What a provider does not list, it has as the standard's default: basic.
  const basic = supported === undefined || supported.includes('client_secret_basic');
  return basic ? client.ClientSecretBasic(clientSecret) : client.ClientSecretPost(clientSecret);
}

async function personOf(
  config: Configuration,
  settings: OidcSettings,
  callback: URL,
  { state, nonce, verifier }: OidcSecrets,
): Promise<OidcPerson> {
  const client = await import('openid-client');
  const tokens = await client.authorizationCodeGrant(config, callback, {
    expectedState: state,
    expectedNonce: nonce,
    pkceCodeVerifier: verifier,
    idTokenExpected: true,
  });
  const idToken = tokens.claims();
  if (!idToken) throw new VkitError('unauthenticated', 'The identity provider sent no ID token.');
  const asked = config.serverMetadata().userinfo_endpoint !== undefined;
  const more: Claims = asked
    ? await client.fetchUserInfo(config, tokens.access_token, idToken.sub)
    : {};
  const claims: Claims = { ...more, ...idToken };
  return {
    subject: JSON.stringify([idToken.iss, idToken.sub]),
    email: verifiedEmail([idToken, more], settings.emailClaim),
    attributes: attributesFromClaims(claims, settings.claims),
  };
}

/** An address, and that it is verified, from the same place: each alone says nothing of the other. */
function verifiedEmail(places: readonly Claims[], claim: string): string | null {
  for (const claims of places) {
    const email = claimOf(claims, claim);
    if (typeof email !== 'string' || claims.email_verified !== true) continue;
    if (email.length <= EMAIL_CHARACTERS_MAX && EMAIL.test(email)) return email.toLowerCase();
  }
  return null;
}

/** What the library threw: the provider's own text, which anybody could have put into an address, is not repeated. */
function refusal(error: unknown): VkitError {
  if (error instanceof VkitError) return error;
  const { name, cause, code } = error as { name?: string; cause?: unknown; code?: string };
  if (name === 'AuthorizationResponseError') {
    return new VkitError('forbidden', 'The identity provider did not let you in.', {
      cause: error,
    });
  }
  const unreachable =
    name === 'TimeoutError' ||
    (error instanceof TypeError && code === undefined && cause !== undefined);
  if (unreachable) return unavailable(error);
  return new VkitError('unauthenticated', "The identity provider's answer does not verify.", {
    hint: 'Begin again: vkit login. If it stays so, the operator finds the reason in the log.',
    cause: error,
  });
}

function unavailable(cause: unknown): VkitError {
  return new VkitError('unavailable', 'The identity provider cannot be asked.', {
    hint: 'Try again soon. The operator finds the reason in the log.',
    cause,
  });
}

function checkAddress(text: string, key: string): void {
  const url = URL.canParse(text) ? new URL(text) : null;
  const clear = url?.protocol === 'http:' && isLoopbackHost(url.hostname);
  const plain = url && !url.username && !url.password && !url.search && !url.hash;
  if (plain && (url.protocol === 'https:' || clear)) return;
  throw new VkitError(
    'config_invalid',
    `${key} is not an https address, without more than a path.`,
    {
      hint: 'Only an address of this machine itself may be http.',
      details: { key },
    },
  );
}

/** The first success is kept; after a failure it is tried again at the next call. */
function rememberSuccess<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
