import type { ServerConfig } from '../config/server-config.js';
import { VkitError } from '../errors/index.js';

/** How long running requests may take to finish once the server is told to stop. */
export const DRAIN_MS = 30_000;

/** Listens, or says why that is not possible. */
export async function listen(start: () => Promise<string>, config: ServerConfig): Promise<string> {
  try {
    return await start();
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'EADDRINUSE') {
      throw new VkitError('conflict', `The port ${config.port} of ${config.host} is in use.`, {
        hint: 'Name another one: --port 3001',
        cause,
      });
    }
    throw new VkitError(
      'config_invalid',
      `The server cannot listen on ${config.host}:${config.port}.`,
      { cause },
    );
  }
}

/** Resolves when the process is told to stop, by SIGTERM or an interrupt. */
export function stopSignal({
  onInterrupt,
}: {
  onInterrupt?: (stop: () => void) => () => void;
}): Promise<void> {
  return new Promise((resolve) => {
    const restore = onInterrupt?.(() => resolve());
    // A second signal of either kind does not wait for what the first one lets finish.
    process.once('SIGTERM', () => {
      restore?.();
      resolve();
    });
  });
}

/** Whether the work was done in time. */
export async function withDeadline(work: Promise<unknown>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
