import type { Git } from './run-git.js';

/**
 * The environment that gives Git a token for the pages of one server over HTTP, as GitHub Actions' checkout does: in variables, which
 * no listing of processes shows, and for that server alone. The same environment where the remote is somewhere else, or where Git has a
 * login for it already.
 */
export async function withPushLogin(
  environment: Readonly<Record<string, string>>,
  { git, url, serverUrl, token }: { git: Git; url: string; serverUrl: string; token: string },
): Promise<Record<string, string>> {
  if (!URL.canParse(url) || !URL.canParse(serverUrl)) return { ...environment };
  const { origin, username, password } = new URL(url);
  const isThere = origin === new URL(serverUrl).origin && origin.startsWith('http');
  if (!isThere || username !== '' || password !== '' || (await hasLogin(git, url))) {
    return { ...environment };
  }
  const first = Number(environment.GIT_CONFIG_COUNT ?? '0');
  const basic = Buffer.from(`x-access-token:${token}`).toString('base64');
  return {
    ...environment,
    GIT_CONFIG_COUNT: String(first + 1),
    [`GIT_CONFIG_KEY_${first}`]: `http.${origin}/.extraHeader`,
    [`GIT_CONFIG_VALUE_${first}`]: `Authorization: Basic ${basic}`,
  };
}

async function hasLogin(git: Git, url: string): Promise<boolean> {
  for (const key of ['http.extraHeader', 'credential.helper']) {
    // Git says no by its exit code where the setting is not there.
    const found = await git('config', '--get-urlmatch', key, url).catch(() => '');
    if (found.trim() !== '') return true;
  }
  return false;
}
