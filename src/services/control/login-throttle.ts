import { VkitError } from '../../errors/index.js';

const FAILURES_FREE = 5;
const WAIT_SECONDS_FIRST = 2;
const WAIT_SECONDS_MAX = 300;
/** Entries kept; beyond it the oldest go, so that an attacker cannot fill the memory. */
const ENTRIES_MAX = 10_000;

interface Entry {
  failures: number;
  until: number;
}

/**
 * Slows down guessing: after five failures of one account or one peer address each further one doubles the wait, up to
 * five minutes. It holds for the account even when the password is right, so that the answer tells a guesser nothing.
 */
export class LoginThrottle {
  readonly #entries = new Map<string, Entry>();

  /** Throws `rate_limited` with `retry_after_seconds` in its details. */
  check(account: string, address: string | undefined, now: number): void {
    const until = Math.max(
      ...this.#keys(account, address).map((key) => this.#entries.get(key)?.until ?? 0),
    );
    if (until <= now) return;
    const seconds = Math.ceil((until - now) / 1000);
    throw new VkitError('rate_limited', `Too many failed logins; wait ${seconds} s.`, {
      details: { retry_after_seconds: seconds },
    });
  }

  failed(account: string, address: string | undefined, now: number): void {
    for (const key of this.#keys(account, address)) {
      const failures = (this.#entries.get(key)?.failures ?? 0) + 1;
      const over = failures - FAILURES_FREE;
      const waitSeconds =
        over < 0 ? 0 : Math.min(WAIT_SECONDS_MAX, WAIT_SECONDS_FIRST * 2 ** Math.min(over, 16));
      this.#entries.delete(key);
      this.#entries.set(key, { failures, until: now + waitSeconds * 1000 });
    }
    for (const key of this.#entries.keys()) {
      if (this.#entries.size <= ENTRIES_MAX) break;
      this.#entries.delete(key);
    }
  }

  succeeded(account: string, address: string | undefined): void {
    for (const key of this.#keys(account, address)) this.#entries.delete(key);
  }

  #keys(account: string, address: string | undefined): string[] {
    return address === undefined
      ? [`account ${account}`]
      : [`account ${account}`, `address ${address}`];
  }
}
