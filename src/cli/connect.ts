import { type FoundLogin, type Login, readLogin } from '../client/credentials-file.js';
import { VkitClient } from '../client/vkit-client.js';
import { type Environment, readEnvironment } from '../config/env.js';
import { VkitError } from '../errors/index.js';
import { proxiedFetch } from '../util/proxied-fetch.js';
import { serverAddress } from './server-address.js';

/** More names than these are no help in choosing one. */
const SIBLINGS_SHOWN_MAX = 5;

export interface ServerFlagValues {
  endpoint?: string | undefined;
  profile?: string | undefined;
}

export interface Connection {
  client: VkitClient;
  endpoint: string;
  login: Login | null;
}

/**
 * The client of a command: the server of `--endpoint`, VKIT_API_URL or the last login, with VKIT_TOKEN or the login's
 * token; of an agent's, VAULTKIT_BASE_URL and VAULTKIT_TOKEN too. A login's token is sent to its own server only. Throws `unauthenticated` where there is no token.
 */
export async function connect(
  flags: ServerFlagValues,
  version: string,
  options: { isAgent?: boolean } = {},
): Promise<Connection> {
  const { client, endpoint, login, token } = await prepare(flags, version, options);
  if (token === undefined) {
    throw new VkitError('unauthenticated', `You are not logged in at ${endpoint}.`, {
      hint: `Log in with: vkit login --endpoint ${endpoint}${profileWords(flags)} — or set VKIT_TOKEN.`,
    });
  }
  return { client, endpoint, login };
}

/**
 * The same for what works without a server, too: null where nobody is logged in there. A server or a profile that is named is
 * meant: then it throws as `connect` does. A damaged file of logins, or an address that is none, is nobody's login.
 */
export async function connectIfLoggedIn(
  flags: ServerFlagValues,
  version: string,
): Promise<Connection | null> {
  if (flags.endpoint !== undefined || flags.profile !== undefined) return connect(flags, version);
  try {
    return await connect(flags, version);
  } catch (error) {
    const noLogin = ['unauthenticated', 'config_invalid', 'permission_denied', 'usage'];
    if (error instanceof VkitError && noLogin.includes(error.code)) return null;
    throw error;
  }
}

/** The environment, with the names that MCP clients set (VAULTKIT_*) where vkit's own are not set. */
function agentEnvironment(): Environment {
  const environment = readEnvironment();
  const { baseUrl, token } = environment.mcp;
  return {
    ...(baseUrl === undefined ? {} : { apiUrl: baseUrl }),
    ...(token === undefined ? {} : { token }),
    ...environment,
  };
}

/** The server of a command that has a token for every one of its own callers. */
export async function connectionFor(
  flags: ServerFlagValues,
  version: string,
): Promise<{ endpoint: string; clientOf: (token: string) => VkitClient }> {
  const environment = agentEnvironment();
  const login = await readLogin(environment.configHome, flags.profile ?? environment.profile);
  const endpoint = addressOf(flags, login, environment);
  const { org } = environment.mcp;
  const clientOf = (token: string) =>
    new VkitClient({
      baseUrl: endpoint,
      userAgent: `vkit-mcp/${version}`,
      fetch: proxiedFetch(environment.proxy),
      token,
      ...(org === undefined ? {} : { org }),
    });
  return { endpoint, clientOf };
}

/** The same without a token, for logging in. */
export async function connectAnonymously(
  flags: ServerFlagValues,
  version: string,
): Promise<Connection> {
  const environment = readEnvironment();
  const login = await readLogin(environment.configHome, flags.profile ?? environment.profile);
  const endpoint = addressOf(flags, login, environment);
  return {
    client: new VkitClient({
      baseUrl: endpoint,
      userAgent: `vkit/${version}`,
      fetch: proxiedFetch(environment.proxy),
    }),
    endpoint,
    login,
  };
}

async function prepare(
  flags: ServerFlagValues,
  version: string,
  { isAgent = false }: { isAgent?: boolean },
) {
  const environment = isAgent ? agentEnvironment() : readEnvironment();
  const profile = flags.profile ?? environment.profile;
  const login = await readLogin(environment.configHome, profile);
  if (!login && flags.profile !== undefined) {
    throw new VkitError('unauthenticated', 'There is no login of that profile.', {
      hint: `Log in with: vkit login${profileWords(flags)}`,
    });
  }
  // A token of the environment needs no login.
  if (!login && profile !== undefined && environment.token === undefined) {
    const words = profileWords({ profile });
    throw new VkitError('unauthenticated', 'There is no login of the profile in VKIT_PROFILE.', {
      hint: `Log in with: vkit login${words} — or unset VKIT_PROFILE, to be who logged in last.`,
    });
  }
  const endpoint = addressOf(flags, login, environment);
  const own = login && login.endpoint === endpoint ? login : null;
  const token = environment.token ?? own?.token;
  const named = isAgent ? environment.mcp.org : undefined;
  const org = environment.token === undefined ? own?.org : named;
  const caller = callerWords(endpoint, environment.token === undefined ? own : null);
  const client = new VkitClient({
    baseUrl: endpoint,
    userAgent: `${isAgent ? 'vkit-mcp' : 'vkit'}/${version}`,
    fetch: proxiedFetch(environment.proxy),
    caller,
    ...(own === null || environment.token !== undefined
      ? {}
      : { newLogin: `vkit login --endpoint ${endpoint} --profile ${own.profile}` }),
    ...(token === undefined ? {} : { token }),
    ...(org === undefined ? {} : { org }),
  });
  return { client, endpoint, login, token };
}

/** Who the server takes this command for, and how to be somebody else: people have several logins. */
function callerWords(endpoint: string, login: FoundLogin | null): string {
  if (login === null) return `VKIT_TOKEN says who you are at ${endpoint}; see: vkit whoami`;
  const { email, profile, siblings } = login;
  const other =
    siblings.length === 0
      ? `vkit login --endpoint ${endpoint} --profile NAME`
      : `--profile ${siblings.slice(0, SIBLINGS_SHOWN_MAX).join(', or ')}`;
  return `You are ${email ?? 'an account without an email'} at ${endpoint}, by the profile ${profile}. To be somebody else: ${other}`;
}

/** The flag as it was typed, where its value looks like a name and not like a secret in the wrong place. */
function profileWords({ profile }: ServerFlagValues): string {
  return profile !== undefined && /^[\w.@-]{1,64}$/.test(profile) ? ` --profile ${profile}` : '';
}

function addressOf(flags: ServerFlagValues, login: Login | null, { apiUrl }: Environment): string {
  return serverAddress({ flag: flags.endpoint, environment: apiUrl, login: login?.endpoint });
}
