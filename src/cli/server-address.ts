import { VkitError } from '../errors/index.js';

export const DEFAULT_SERVER = 'http://localhost:3000';

/**
 * The server's base URL without a trailing slash: the flag, else VKIT_API_URL, else the login's, else
 * `http://localhost:3000`. Only http and https, without credentials, which would end up in logs.
 */
export function serverAddress(from: {
  flag?: string | undefined;
  environment?: string | undefined;
  login?: string | undefined;
}): string {
  const text = from.flag ?? from.environment ?? from.login ?? DEFAULT_SERVER;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const valid = url && ['http:', 'https:'].includes(url.protocol) && !url.username && !url.password;
  if (valid) return url.href.replace(/[?#].*$/, '').replace(/\/+$/, '');
  const fallback = from.environment === undefined ? 'The last login' : 'VKIT_API_URL';
  const name = from.flag === undefined ? fallback : '--endpoint';
  throw new VkitError('usage', `${name} does not hold the address of a server.`, {
    hint: `Write it like ${DEFAULT_SERVER}, without a user name or password.`,
  });
}
