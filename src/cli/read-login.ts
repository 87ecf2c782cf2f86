import type { Credentials } from '../engines/contract.js';
import { VkitError } from '../errors/index.js';
import { canPrompt, promptPassword, promptText, readPassword } from './prompt.js';

export interface LoginFlagValues {
  username?: string | undefined;
  password?: string | undefined;
  'password-stdin'?: boolean;
}

/** User name and password of a database, as a server is given them to keep. */
export interface GivenLogin {
  username: string;
  password: string;
  /** Whether nobody gave a password: then it is empty, which some databases take. */
  withoutPassword: boolean;
}

/**
 * A login from flags, which win, a URL, or prompts on a terminal. Throws `usage` that names the flag where a user name is
 * missing and nobody can be asked.
 */
export async function readLogin(
  id: string,
  flags: LoginFlagValues,
  fromUrl: Credentials,
  warn: (message: string) => unknown,
): Promise<GivenLogin> {
  const username =
    flags.username ??
    fromUrl.username ??
    (await promptText(`User name for the datasource ${id}`, '--username'));
  if (username === '') {
    throw new VkitError('usage', 'The user name is empty.', { hint: 'Give --username NAME.' });
  }
  const given = await readGivenPassword(id, flags, fromUrl, warn);
  return { username, password: given ?? '', withoutPassword: (given ?? '') === '' };
}

async function readGivenPassword(
  id: string,
  flags: LoginFlagValues,
  fromUrl: Credentials,
  warn: (message: string) => unknown,
): Promise<string | undefined> {
  const question = `Password of the datasource ${id}`;
  if (flags.password !== undefined || flags['password-stdin'])
    return readPassword(flags, { question, warn });
  if (fromUrl.password !== undefined) return fromUrl.password;
  return canPrompt() ? promptPassword(question, '--password-stdin') : undefined;
}
