export type TurnQueueOptions = {
  /** How many may have a turn at the same time. */
  atOnce: number;
  /** How many may wait for theirs. */
  waitingMax: number;
  /** The error for whoever comes when that many wait. */
  whenFull: () => Error;
};

export type TurnQueue = {
  /** Resolves when it is the caller's turn, first come first served; rejects when too many wait. */
  take(): Promise<void>;
  /** Ends a turn that was taken; the next in line has it at once. */
  give(): void;
  /** How many wait for their turn. */
  waiting(): number;
};

/** A fair, bounded lock for `atOnce` holders within this process. */
export function turnQueue({ atOnce, waitingMax, whenFull }: TurnQueueOptions): TurnQueue {
  let held = 0;
  const waiting: (() => void)[] = [];
  return {
    async take() {
      if (held < atOnce) {
        held += 1;
        return;
      }
      if (waiting.length >= waitingMax) throw whenFull();
      await new Promise<void>((resolve) => waiting.push(resolve));
    },
    give() {
      // The turn passes without being free in between, so that no newcomer gets ahead of the line.
      const next = waiting.shift();
      if (next) next();
      else held -= 1;
    },
    waiting: () => waiting.length,
  };
}
