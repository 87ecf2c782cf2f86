import { setTimeout as sleep } from 'node:timers/promises';
import { patienceOf } from '../client/patience.js';
import { ERROR_CODES } from '../errors/index.js';
import { handleInterrupt } from './interrupt.js';

const EXIT_INTERRUPTED = ERROR_CODES.interrupted.exit;

/**
 * Calls `look` again and again until Ctrl-C, which ends the process quietly with exit code 130. A server that restarts is waited
 * for; one that did not answer the first time is not there.
 */
export async function pollUntilInterrupted(
  intervalMs: number,
  look: () => Promise<void>,
): Promise<void> {
  const ended = new AbortController();
  const restore = handleInterrupt(() => ended.abort());
  const patience = patienceOf();
  let hasLooked = false;
  try {
    while (!ended.signal.aborted) {
      await (hasLooked ? patience.try(look) : look());
      hasLooked = true;
      await sleep(intervalMs, undefined, { signal: ended.signal }).catch(() => undefined); // Aborted.
    }
    process.exitCode = EXIT_INTERRUPTED;
  } finally {
    restore();
  }
}
