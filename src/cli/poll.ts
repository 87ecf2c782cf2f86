import { setTimeout as sleep } from 'node:timers/promises';
import { patienceOf } from '../client/patience.js';
import { ERROR_CODES } from '../errors/index.js';
import { handleInterrupt } from './interrupt.js';

const EXIT_INTERRUPTED = ERROR_CODES.interrupted.exit;

/** Calls `look` again and again until Ctrl-C, which ends the process quietly with exit code 130. */
export async function pollUntilInterrupted(
  intervalMs: number,
  look: () => Promise<void>,
): Promise<void> {
  const ended = new AbortController();
  const restore = handleInterrupt(() => ended.abort());
  const patience = patienceOf();
  try {
    while (!ended.signal.aborted) {
      await patience.try(look);
      await sleep(intervalMs, undefined, { signal: ended.signal }).catch(() => undefined); // Aborted.
    }
    process.exitCode = EXIT_INTERRUPTED;
  } finally {
    restore();
  }
}
