import { handleInterrupt } from './interrupt.js';

export interface StopRequests {
  signal: AbortSignal;
  /** Restores what these signals do otherwise. */
  end(): void;
}

const SIGNALS = ['SIGTERM', 'SIGHUP'] as const;

/**
 * A signal that aborts when somebody wants the process to end: Ctrl-C, SIGTERM, a closed terminal, or a reader of stdout
 * that went away. For a command that has something to tidy up first.
 */
export function stopRequests(): StopRequests {
  const controller = new AbortController();
  const stop = () => controller.abort();
  const restoreInterrupt = handleInterrupt(stop);
  for (const name of SIGNALS) process.once(name, stop);
  process.stdout.on('error', stop);
  return {
    signal: controller.signal,
    end() {
      restoreInterrupt();
      for (const name of SIGNALS) process.off(name, stop);
      process.stdout.off('error', stop);
    },
  };
}
