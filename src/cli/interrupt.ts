import { VkitError } from '../errors/index.js';
import { reportError } from './report-error.js';

let onInterrupt: (() => void) | undefined;

/** Makes Ctrl-C end the process with exit code 130, and its error document under `json`. */
export function installInterrupt(options: { json: boolean }): void {
  process.on('SIGINT', () => {
    const handler = onInterrupt;
    // A second Ctrl-C does not wait for the first one's tidying up.
    onInterrupt = undefined;
    if (handler) return handler();
    reportError(new VkitError('interrupted', 'Interrupted.'), options);
    process.exit();
  });
}

/** Makes SIGTERM end the process as Ctrl-C does, for a command that would leave something behind. */
export function interruptOnTerminate(): void {
  process.once('SIGTERM', () => process.emit('SIGINT'));
}

/**
 * Runs `handler` at the first Ctrl-C instead of ending the process, for a command that has to finish
 * what it began (a server that drains). The returned function restores the default.
 */
export function handleInterrupt(handler: () => void): () => void {
  onInterrupt = handler;
  return () => {
    if (onInterrupt === handler) onInterrupt = undefined;
  };
}
