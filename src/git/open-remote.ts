import { VkitError } from '../errors/index.js';
import type { GitHubPlace } from './github-place.js';
import { withPushLogin } from './push-login.js';
import { type RemoteBranch, type RemoteBranchInput, remoteBranch } from './remote-branch.js';
import { gitIn } from './run-git.js';

const TIMEOUT_MS = 30_000;
const NAME = /^[A-Za-z0-9_][\w./-]{0,99}$/;

export interface OpenRemoteInput extends RemoteBranchInput {
  /** Where a remote with this address is on GitHub; `null` where GitHub is not asked. */
  placeOf: (url: string) => GitHubPlace | null;
  /** A token for GitHub, which Git gets too where it has no other login. */
  token?: string | undefined;
}

/** A branch of a remote by the remote's name. Throws `not_found` for one that the repository does not have. */
export async function openRemote({
  placeOf,
  token,
  ...input
}: OpenRemoteInput): Promise<{ remote: RemoteBranch; place: GitHubPlace | null }> {
  const { root: directory, remote, environment } = input;
  const git = gitIn({ directory, environment, timeoutMs: TIMEOUT_MS });
  const names = (await git('remote')).split(/\r?\n/);
  if (!NAME.test(remote) || !names.includes(remote)) {
    throw new VkitError('not_found', `The repository has no remote "${remote}".`, {
      hint: 'Name one with --remote-name, or make it: git remote add origin URL',
    });
  }
  const url = (await git('remote', 'get-url', remote)).trim();
  const place = placeOf(url);
  const login =
    place === null || token === undefined
      ? environment
      : await withPushLogin(environment, { git, url, serverUrl: place.serverUrl, token });
  return { remote: remoteBranch({ ...input, environment: login }), place };
}
