import { createHash, timingSafeEqual } from 'node:crypto';
import { VkitError } from '../../errors/index.js';

/** In characters: it stands between everybody and the passwords of the datasources. */
const CHARACTERS_MIN = 24;

/** Throws `config_invalid` for a secret that could be guessed, or that is not there. */
export function checkExecutorToken(token: string | undefined): string {
  if (token !== undefined && token.length >= CHARACTERS_MIN) return token;
  const why = token === undefined ? 'is not set' : `has fewer than ${CHARACTERS_MIN} characters`;
  throw new VkitError('config_invalid', `VKIT_EXECUTOR_TOKEN ${why}.`, {
    hint: 'Give the control plane and its executors the same one, from: openssl rand -base64 32',
  });
}

/** Whether an `Authorization` header holds the secret; takes the same time for every other one. */
export function holdsExecutorToken(header: string | undefined, token: string): boolean {
  const given = /^Bearer (.+)$/i.exec(header ?? '')?.[1] ?? '';
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}
