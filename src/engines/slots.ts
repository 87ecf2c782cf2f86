/** Who waits is answered in order; beyond this many the next is refused at once. */
const WAITING_MAX = 1_000;

export type SlotRefusal = 'busy' | 'aborted';

/** How full a pool is at this moment. */
export interface PoolUse {
  used: number;
  waiting: number;
  max: number;
}

/** At most so many uses at a time. */
export interface Slots {
  /**
   * Waits for a free slot at most `timeoutMs`. The answer is the function that frees it, which may be
   * called again without effect, or why there is none.
   */
  acquire(timeoutMs: number, signal?: AbortSignal): Promise<(() => void) | SlotRefusal>;
  use(): PoolUse;
}

export function createSlots(slotsMax: number): Slots {
  let used = 0;
  const waiting = new Set<() => void>();

  const take = () => {
    used += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      used -= 1;
      const [next] = waiting;
      next?.();
    };
  };

  return {
    async acquire(timeoutMs, signal) {
      if (signal?.aborted) return 'aborted';
      if (used < slotsMax) return take();
      if (waiting.size >= WAITING_MAX) return 'busy';
      return new Promise((resolve) => {
        const settle = (answer: (() => void) | SlotRefusal) => {
          waiting.delete(onFree);
          clearTimeout(timer);
          signal?.removeEventListener('abort', onAbort);
          resolve(answer);
        };
        const onFree = () => settle(take());
        const onAbort = () => settle('aborted');
        const timer = setTimeout(() => settle('busy'), timeoutMs);
        signal?.addEventListener('abort', onAbort, { once: true });
        waiting.add(onFree);
      });
    },
    use: () => ({ used, waiting: waiting.size, max: slotsMax }),
  };
}
