import { VkitError } from '../errors/index.js';
import { repositoryName } from './open-repository.js';

/** What the environment says of GitHub, under the names that GitHub Actions uses. */
export interface GitHubSettings {
  token?: string;
  apiUrl?: string;
  serverUrl?: string;
  repository?: string;
}

/** Where a repository is on GitHub. */
export interface GitHubPlace {
  /** `acme/policies` */
  repository: string;
  /** Without a trailing slash: `https://api.github.com`. */
  apiUrl: string;
  /** Where the pages and the Git repositories are, without a trailing slash: `https://github.com`. */
  serverUrl: string;
}

const API_URL = 'https://api.github.com';
const SERVER_URL = 'https://github.com';
const REPOSITORY = /^[A-Za-z0-9][A-Za-z0-9-]{0,99}\/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/;

/**
 * The repository is the one that is named, else that of the remote's address. Throws `invalid_input` where neither says, where an
 * address would take the token in the clear, and where the remote is on another host than the API.
 */
export function gitHubPlace(settings: GitHubSettings, remoteUrl: string | null): GitHubPlace {
  const apiUrl = addressOf(settings.apiUrl ?? API_URL, 'GITHUB_API_URL');
  const serverUrl = addressOf(settings.serverUrl ?? serverOf(apiUrl), 'GITHUB_SERVER_URL');
  const name = remoteUrl === null ? null : repositoryName(remoteUrl);
  const slash = name?.indexOf('/') ?? -1;
  // GitHub takes SSH on the port of HTTPS at a name of its own.
  const host = name?.slice(0, slash).replace(/^ssh\.(?=github\.com$)/, '');
  const repository = settings.repository ?? name?.slice(slash + 1);
  if (repository === undefined || !REPOSITORY.test(repository)) {
    throw new VkitError('invalid_input', 'It is not said which repository on GitHub this is.', {
      hint: 'Set GITHUB_REPOSITORY to OWNER/NAME.',
    });
  }
  if (settings.repository === undefined && host !== new URL(serverUrl).hostname) {
    throw new VkitError(
      'invalid_input',
      `The remote is on ${host}, and not on the host of ${apiUrl}.`,
      {
        hint: 'For GitHub Enterprise set GITHUB_API_URL to https://HOST/api/v3; else GITHUB_REPOSITORY.',
      },
    );
  }
  return { repository, apiUrl, serverUrl };
}

/** GitHub Enterprise Server has its API below `/api/v3` of its own host; GitHub, on a host of its own. */
function serverOf(apiUrl: string): string {
  if (apiUrl === API_URL) return SERVER_URL;
  const { origin, protocol, host } = new URL(apiUrl);
  return host.startsWith('api.') ? `${protocol}//${host.slice('api.'.length)}` : origin;
}

/** A token goes through TLS, or no further than this machine. */
function addressOf(text: string, variable: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(url?.hostname ?? '');
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLocal);
  if (url === null || !isSafe || url.username !== '' || url.password !== '' || url.search !== '') {
    throw new VkitError('invalid_input', `${variable} is no address of GitHub.`, {
      hint: 'It looks like https://api.github.com, or https://HOST/api/v3.',
    });
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}
