import { VkitError } from '../errors/index.js';
import type { OutboundAnswer } from '../util/outbound-fetch.js';

/** What somebody may ask us to wait at most. */
const RETRY_AFTER_SECONDS_MAX = 3600;

/** The seconds a receiver asked to be left alone for, if it did. */
export function retryAfterSeconds(error: unknown): number | undefined {
  const seconds = error instanceof VkitError ? error.details?.retry_after_seconds : undefined;
  return typeof seconds === 'number' ? Math.min(seconds, RETRY_AFTER_SECONDS_MAX) : undefined;
}

/** That a receiver did not take a message; `word` is one of its own, shown where it is a plain one. */
export function notTaken(
  what: string,
  { status, headers }: Pick<OutboundAnswer, 'status' | 'headers'>,
  word = '',
  seconds = Number(headers['retry-after']),
): VkitError {
  const said = /^[\w .,:-]{1,100}$/.test(word) ? `: ${word}` : '';
  const wait =
    Number.isFinite(seconds) && seconds > 0 ? { retry_after_seconds: Math.ceil(seconds) } : {};
  return new VkitError('unavailable', `${what} answered ${status}${said}.`, { details: wait });
}
