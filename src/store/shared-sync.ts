/** Makes what has been written durable, for all that wrote before it together. */
export interface SharedSync {
  /** Resolves once everything that was written at the moment of the call is on disk; rejects where that failed. */
  durable(): Promise<void>;
  /** The sync that is under way, which settles when it has ended; `undefined` where none is. */
  syncing(): Promise<void> | undefined;
}

export interface SharedSyncOptions {
  sync: () => Promise<void>;
  /** Whether nothing is ever said to be durable again once a sync has failed. */
  isFailureFinal: boolean;
}

/**
 * One sync at a time. One that is under way may have missed what was written since it began, so whoever comes then waits for
 * the next one, which serves all of them.
 */
export function sharedSync({ sync, isFailureFinal }: SharedSyncOptions): SharedSync {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  const start = (): Promise<void> => {
    const started = sync().then(
      () => {
        running = undefined;
      },
      (error: unknown) => {
        if (!isFailureFinal) running = undefined;
        throw error;
      },
    );
    running = started;
    return started;
  };

  return {
    durable() {
      if (running === undefined) return start();
      next ??= (isFailureFinal ? running : running.catch(() => undefined)).then(() => {
        next = undefined;
        // Another caller may have begun one in this moment, after everything these have written.
        return running ?? start();
      });
      return next;
    },
    syncing: () => running,
  };
}
