import type { Job } from '../services/job.js';
import type { Store } from '../store/model.js';

/** How long the end of a run is waited for when jobs are stopped. */
const STOP_MS = 10_000;

/** Runs each job regularly, never twice at once; what a run throws is told, and the next one goes on. */
export function runJobs(
  store: Pick<Store, 'exclusively'>,
  jobs: readonly Job[],
  onError: (name: string, error: unknown) => void,
): { stop(): Promise<void> } {
  const abort = new AbortController();
  const { signal } = abort;
  const running = jobs.map((job) => keepRunning(store, job, signal, onError));
  return {
    async stop() {
      abort.abort();
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, STOP_MS);
      });
      await Promise.race([Promise.all(running), late]);
      clearTimeout(timer);
    },
  };
}

async function keepRunning(
  store: Pick<Store, 'exclusively'>,
  { name, everyMs, run }: Job,
  signal: AbortSignal,
  onError: (name: string, error: unknown) => void,
): Promise<void> {
  while (!signal.aborted) {
    await pause(everyMs, signal);
    if (signal.aborted) return;
    try {
      await store.exclusively(name, () => run(signal));
    } catch (error) {
      if (!signal.aborted) onError(name, error);
    }
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done, { once: true });
  });
}
