import { VkitError } from '../../errors/index.js';
import type { Permit } from './kept-permits.js';

/** One query, from before its grant is looked at until its outcome is on record. */
export interface RunningQuery {
  signal: AbortSignal;
  /** Says what it runs by, once that is known: from then on it can be looked at. */
  permitted: (permit: Permit) => void;
  abort: (reason: VkitError) => void;
  end: () => void;
  isRunning: () => boolean;
}

interface Running {
  requesterId: string;
  grantId: string;
  abort: AbortController;
  permit: Permit | null;
  /** Whether somebody wanted to look at it before there was anything to look at. */
  isLookedFor: boolean;
}

/** Why a query must not go on; null where it may. */
export type StopReason = (permit: Permit) => Promise<VkitError | null>;

/**
 * The queries this process is running. What takes a grant's right away (a revocation, another bundle, a disabled user)
 * stops them here at once; it also bounds how many one requester runs together.
 */
export class RunningQueries {
  readonly #running = new Set<Running>();
  readonly #whenIdle: (() => void)[] = [];
  #onLate: (() => void) | undefined;

  constructor(private readonly perRequesterMax: number) {}

  /** Registers a query; throws `rate_limited` when the requester has too many. Call `end` in every case. */
  start(requesterId: string, grantId: string): RunningQuery {
    let count = 0;
    for (const entry of this.#running) if (entry.requesterId === requesterId) count += 1;
    if (count >= this.perRequesterMax) {
      throw new VkitError(
        'rate_limited',
        `You are running ${count} queries already, the most allowed at once.`,
        {
          hint: 'Wait until one of them has ended.',
        },
      );
    }
    const entry: Running = {
      requesterId,
      grantId,
      abort: new AbortController(),
      permit: null,
      isLookedFor: false,
    };
    this.#running.add(entry);
    return {
      signal: entry.abort.signal,
      permitted: (permit) => {
        entry.permit = permit;
        if (entry.isLookedFor) this.#onLate?.();
      },
      abort: (reason) => entry.abort.abort(reason),
      isRunning: () => this.#running.has(entry),
      end: () => {
        this.#running.delete(entry);
        if (this.#running.size === 0) for (const tell of this.#whenIdle.splice(0)) tell();
      },
    };
  }

  /** Resolves when none is left whose outcome is still to be recorded. */
  async idle(): Promise<void> {
    if (this.#running.size === 0) return;
    await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  stopGrant(grantId: string, reason: VkitError): void {
    for (const entry of this.#running) if (entry.grantId === grantId) entry.abort.abort(reason);
  }

  stopRequester(requesterId: string, reason: VkitError): void {
    for (const entry of this.#running)
      if (entry.requesterId === requesterId) entry.abort.abort(reason);
  }

  stopAll(reason: VkitError): void {
    for (const entry of this.#running) entry.abort.abort(reason);
  }

  /**
   * Looks at every query again, after somebody else may have taken what it runs by, and stops those that have a reason to.
   * What has no permit yet is looked at when it has one: `onLate` is called then.
   */
  async lookAgain(reason: StopReason, onLate: () => void): Promise<void> {
    this.#onLate = onLate;
    for (const entry of [...this.#running]) {
      entry.isLookedFor = entry.permit === null;
      if (entry.permit === null || !this.#running.has(entry)) continue;
      const stop = await reason(entry.permit);
      if (stop) entry.abort.abort(stop);
    }
  }

  get size(): number {
    return this.#running.size;
  }
}
