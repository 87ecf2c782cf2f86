import { VkitError } from '../../errors/index.js';
import type { ControlLink } from './control-link.js';

/** How long a query runs on after the control plane was heard of last, from the start of the question. */
export const LEASE_MS = 2_000;
const ASK_MS = 400;
const ASK_MS_MAX = 1_500;

export interface Leased {
  /** Aborted, with a VkitError, once the query must not go on. */
  signal: AbortSignal;
  end(): void;
}

export interface Lease {
  start(grantId: string, signal: AbortSignal): Leased;
  running(): number;
  close(): void;
}

interface Running {
  grantId: string;
  abort: AbortController;
  /** Its ticket was redeemed after this. */
  since: number;
}

/**
 * Asks the control plane again and again, while queries run, which of them have to stop; without an answer for LEASE_MS all
 * of them do.
 */
export function createLease({
  control,
  clock,
}: {
  control: Pick<ControlLink, 'lease'>;
  clock: () => number;
}): Lease {
  const running = new Set<Running>();
  let heardAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  const guard = setInterval(() => {
    for (const { abort, since } of running) {
      if (clock() - Math.max(heardAt, since) < LEASE_MS) continue;
      abort.abort(
        new VkitError(
          'unavailable',
          'The executor has lost its control plane while the query ran.',
        ),
      );
    }
  }, ASK_MS / 2);
  guard.unref();

  const ask = async (): Promise<void> => {
    const startedAt = clock();
    const grants = [...new Set([...running].map(({ grantId }) => grantId))];
    const { stop } = await control.lease(grants, AbortSignal.timeout(ASK_MS_MAX));
    heardAt = startedAt;
    for (const { grantId, abort } of running) {
      if (stop.includes(grantId))
        abort.abort(new VkitError('grant_revoked', 'The grant was revoked while the query ran.'));
    }
  };
  const askAgain = (): void => {
    timer = undefined;
    if (isClosed || running.size === 0) return;
    // The lease runs out by itself.
    ask()
      .catch(() => undefined)
      .then(schedule);
  };
  const schedule = (): void => {
    if (timer !== undefined || isClosed || running.size === 0) return;
    timer = setTimeout(askAgain, ASK_MS);
  };

  return {
    start(grantId, signal) {
      const abort = new AbortController();
      const onGone = () => abort.abort(new VkitError('interrupted', 'The client went away.'));
      if (signal.aborted) onGone();
      else signal.addEventListener('abort', onGone, { once: true });
      const entry: Running = { grantId, abort, since: clock() };
      running.add(entry);
      // An answer that nobody began to read ends by its signal alone.
      abort.signal.addEventListener('abort', () => running.delete(entry), { once: true });
      if (abort.signal.aborted) running.delete(entry);
      schedule();
      return {
        signal: abort.signal,
        end() {
          running.delete(entry);
          signal.removeEventListener('abort', onGone);
        },
      };
    },
    running: () => running.size,
    close() {
      isClosed = true;
      clearTimeout(timer);
      clearInterval(guard);
      for (const { abort } of running)
        abort.abort(new VkitError('unavailable', 'The executor is stopping.'));
    },
  };
}
