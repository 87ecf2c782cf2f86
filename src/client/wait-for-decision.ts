import { setTimeout as sleep } from 'node:timers/promises';
import { patienceOf } from './patience.js';
import type { RequestAnswer } from './wire.js';

export interface WaitOptions {
  /** How long at most, in milliseconds; absent: until the server itself has let the request expire. */
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Milliseconds since the epoch; absent: this machine's clock. */
  now?: () => number;
}

const WAIT_FIRST_MS = 500;
const WAIT_MAX_MS = 5_000;
const BACKOFF = 1.5;
/** A server lets no request wait longer than 30 days; its clock and ours may differ a little. */
const WAITING_MS_MAX = 30 * 86_400_000 + 60_000;

/**
 * Asks for a request until it is no longer pending, less and less often, and returns the last answer: still pending only
 * where its time is over by this clock. A server that is away for a moment is waited for; an abort is thrown as its reason.
 */
export async function waitForDecision(
  show: (id: string) => Promise<RequestAnswer>,
  answer: RequestAnswer,
  { timeoutMs = WAITING_MS_MAX, signal, now = Date.now }: WaitOptions = {},
): Promise<RequestAnswer> {
  const patience = patienceOf();
  const deadline = now() + Math.min(timeoutMs, WAITING_MS_MAX);
  let last = answer;
  let waitMs = WAIT_FIRST_MS;
  while (last.state === 'pending' && now() < deadline) {
    const pause = Math.max(1, Math.min(waitMs, deadline - now()));
    await sleep(pause, undefined, signal && { signal }).catch(() => signal?.throwIfAborted());
    waitMs = Math.min(WAIT_MAX_MS, waitMs * BACKOFF);
    last = (await patience.try(() => show(last.request_id))) ?? last;
  }
  return last;
}
