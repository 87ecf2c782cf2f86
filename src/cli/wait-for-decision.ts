import { setTimeout as sleep } from 'node:timers/promises';
import type { VkitClient } from '../client/vkit-client.js';
import type { RequestAnswer } from '../client/wire.js';
import { patienceOf } from './poll.js';

const WAIT_FIRST_MS = 500;
const WAIT_MAX_MS = 5_000;
const BACKOFF = 1.5;
/** A server lets no request wait longer than 30 days; its clock and ours may differ a little. */
const WAITING_MS_MAX = 30 * 86_400_000 + 60_000;

/**
 * Asks for a request until it is no longer pending, less and less often, and returns the last answer: still pending only
 * where its time is over by this clock and the server has not said so. A server that is away for a moment is waited for.
 */
export async function waitForDecision(
  client: VkitClient,
  answer: RequestAnswer,
  now: () => number,
): Promise<RequestAnswer> {
  const patience = patienceOf();
  const deadline = now() + WAITING_MS_MAX;
  let last = answer;
  let waitMs = WAIT_FIRST_MS;
  while (last.state === 'pending' && now() < deadline) {
    await sleep(waitMs);
    waitMs = Math.min(WAIT_MAX_MS, waitMs * BACKOFF);
    last = (await patience.try(() => client.showRequest(last.request_id))) ?? last;
  }
  return last;
}
