import { VkitError } from '../errors/index.js';

/** Looks that may fail in a row, for a server that restarts. */
const FAILURES_MAX = 10;

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
