import { setTimeout as sleep } from 'node:timers/promises';
import { type ErrorCodeName, VkitError } from '../errors/index.js';

/** What decides whether a call may be sent once more. */
export interface Repeat {
  /** How often at most, after the first time. */
  retries: number;
  /** Whether sending it twice does no more than sending it once. */
  repeatable: boolean;
  signal?: AbortSignal | undefined;
}

/** Retries where nobody says otherwise. */
export const RETRIES_DEFAULT = 2;
/** More would keep a server down that is trying to come up. */
const RETRIES_MAX = 10;

const WAIT_FIRST_MS = 100;
/** A server that wants to be left alone for longer is left to whoever called. */
const WAIT_MAX_MS = 10_000;

/** What may be gone a moment later. A datasource's own error, or a bug, comes again. */
const PASSING: ReadonlySet<ErrorCodeName> = new Set([
  'server_unreachable',
  'unavailable',
  'audit_unavailable',
  'datasource_unreachable',
]);

/**
 * Calls `attempt` until it succeeds, fails for good, or the retries are used up; then the last error is thrown. A server that
 * says 429 has done nothing, so that everything may be sent again once its `retry-after` is over; after a broken connection
 * or a 5xx only what is `repeatable`. A time-out is not repeated: the time is used up.
 */
export async function retrying<T>(repeat: Repeat, attempt: () => Promise<T>): Promise<T> {
  const retries = Math.min(repeat.retries, RETRIES_MAX);
  for (let retry = 0; ; retry += 1) {
    try {
      return await attempt();
    } catch (error) {
      const waitMs = retry < retries ? waitBefore(error, retry, repeat) : null;
      if (waitMs === null || waitMs > WAIT_MAX_MS) throw error;
      await sleep(waitMs, undefined, { ...(repeat.signal && { signal: repeat.signal }) }).catch(
        () => repeat.signal?.throwIfAborted(),
      );
    }
  }
}

/** How long to wait for the next attempt, in milliseconds; null where there must be none. */
function waitBefore(error: unknown, retry: number, { repeatable, signal }: Repeat): number | null {
  if (!(error instanceof VkitError) || signal?.aborted) return null;
  const asked = error.details?.retry_after_seconds;
  const backoff = WAIT_FIRST_MS * 2 ** retry;
  const waitMs = typeof asked === 'number' ? Math.max(asked * 1_000, backoff) : backoff;
  if (error.code === 'rate_limited') return waitMs;
  const isTimeout = error.cause instanceof Error && error.cause.name === 'TimeoutError';
  return repeatable && !isTimeout && PASSING.has(error.code) ? waitMs : null;
}

/** The seconds that a `retry-after` header asks for (RFC 9110, 10.2.3: a number or a date); null for none that can be read. */
export function retryAfterSeconds(header: string | null, now: number): number | null {
  if (header === null) return null;
  if (/^\d{1,9}$/.test(header)) return Number(header);
  const moment = Date.parse(header);
  return Number.isNaN(moment) ? null : Math.max(0, Math.ceil((moment - now) / 1_000));
}
