import { chmod, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { VkitError } from '../errors/index.js';
import { atomicWrite } from '../util/atomic-write.js';
import { makeFolder } from '../util/make-folder.js';

/** One login. The token is a secret; everything else may be shown. */
export interface Login {
  endpoint: string;
  token: string;
  org: string;
  email: string | null;
  expires_at: string | null;
}

/** A login that was found, and the name of its profile. */
export interface FoundLogin extends Login {
  profile: string;
  /** The other profiles with a login at the same server, in alphabetical order. */
  siblings: readonly string[];
}

/** What `<config home>/vkit/credentials.json` holds, mode 0600. */
interface CredentialsFile {
  format_version: 'v1';
  /** The profile used when none is named. */
  current: string;
  profiles: Record<string, Login>;
}

export const DEFAULT_PROFILE = 'default';

const PROFILE = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

export function credentialsPath(configHome: string): string {
  return join(configHome, 'vkit', 'credentials.json');
}

/** The login of a profile, or of the last one used; null where there is none. */
export async function readLogin(
  configHome: string | undefined,
  profile: string | undefined,
): Promise<FoundLogin | null> {
  if (configHome === undefined) return null;
  const file = await readFileOf(configHome);
  const name = profile ?? file?.current ?? DEFAULT_PROFILE;
  const login = file && Object.hasOwn(file.profiles, name) ? file.profiles[name] : undefined;
  return file && login
    ? { ...login, profile: name, siblings: siblingsOf(file, name, login) }
    : null;
}

function siblingsOf({ profiles }: CredentialsFile, own: string, { endpoint }: Login): string[] {
  return Object.keys(profiles)
    .filter((name) => name !== own && PROFILE.test(name) && profiles[name]?.endpoint === endpoint)
    .sort();
}

/** Keeps a login and makes its profile the current one. */
export async function saveLogin(
  configHome: string | undefined,
  profile: string | undefined,
  login: Login,
): Promise<string> {
  if (configHome === undefined) {
    throw new VkitError('config_invalid', 'There is no place for the credentials file.', {
      hint: 'Set HOME or XDG_CONFIG_HOME, or give the token as VKIT_TOKEN.',
    });
  }
  const name = profile ?? DEFAULT_PROFILE;
  if (!PROFILE.test(name))
    throw new VkitError('usage', 'A profile is named with letters, digits, _, . and -.');
  const file = (await readFileOf(configHome)) ?? {
    format_version: 'v1',
    current: name,
    profiles: {},
  };
  const path = credentialsPath(configHome);
  await writeFileOf(path, {
    ...file,
    current: name,
    profiles: { ...file.profiles, [name]: login },
  });
  return path;
}

/** Forgets a login; false where there was none. */
export async function forgetLogin(
  configHome: string | undefined,
  profile: string | undefined,
): Promise<boolean> {
  const file = configHome === undefined ? null : await readFileOf(configHome);
  const name = profile ?? file?.current ?? DEFAULT_PROFILE;
  if (configHome === undefined || !file || !Object.hasOwn(file.profiles, name)) return false;
  const { [name]: _forgotten, ...profiles } = file.profiles;
  const [left] = Object.keys(profiles);
  await writeFileOf(credentialsPath(configHome), {
    ...file,
    current: left ?? DEFAULT_PROFILE,
    profiles,
  });
  return true;
}

async function readFileOf(configHome: string): Promise<CredentialsFile | null> {
  const path = credentialsPath(configHome);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new VkitError('permission_denied', `The credentials file ${path} cannot be read.`, {
      cause,
    });
  }
  try {
    const file = JSON.parse(text) as CredentialsFile;
    if (file.format_version === 'v1' && typeof file.profiles === 'object' && file.profiles !== null)
      return file;
  } catch {
    // The parser's message could quote a token.
  }
  throw new VkitError('config_invalid', `The credentials file ${path} is damaged.`, {
    hint: 'Remove it and log in again: vkit login',
  });
}

async function writeFileOf(path: string, file: CredentialsFile): Promise<void> {
  await makeFolder(dirname(path), { mode: 0o700 });
  await chmod(dirname(path), 0o700);
  await atomicWrite(path, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 });
}
