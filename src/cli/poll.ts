import { setTimeout as sleep } from 'node:timers/promises';
import { ERROR_CODES, VkitError } from '../errors/index.js';
import { handleInterrupt } from './interrupt.js';

/** Looks that may fail in a row, for a server that restarts. */
const FAILURES_MAX = 10;

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

/** Lets a look fail for want of a server a few times in a row; every other error is thrown at once. */
export function patienceOf(): { try<T>(look: () => Promise<T>): Promise<T | undefined> } {
  let failures = 0;
  return {
    async try(look) {
      try {
        const result = await look();
        failures = 0;
        return result;
      } catch (error) {
        failures += 1;
        const passing = error instanceof VkitError && error.exitCode === 7;
        if (!passing || failures >= FAILURES_MAX) throw error;
        return undefined;
      }
    },
  };
}
