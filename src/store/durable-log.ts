import { closeSync, fdatasync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

/** Makes what has been written to a file durable, for all that wrote before it together. */
export interface DurableLog {
  /** Resolves once everything that is in the file at the moment of the call is on disk; rejects where that failed. */
  durable(): Promise<void>;
  /** The sync that is under way, which settles when it has ended; `undefined` where none is. */
  syncing(): Promise<void> | undefined;
  /** Waits for what is under way, and closes. */
  close(): Promise<void>;
}

/** Calls back when the file's data is on disk. */
export type Sync = (descriptor: number, done: (error: Error | null) => void) => void;

/**
 * A file that another part of this process appends to. A sync that is under way may have missed what was written since it began, so whoever
 * comes then waits for the next one, which serves all of them. `fdatasync` on Linux also writes the file's length; on
 * macOS Node asks for F_FULLFSYNC.
 */
export function openDurableLog(path: string, sync: Sync = fdatasync): DurableLog {
  const descriptor = openSync(path, 'r+');
  syncFolder(dirname(path));
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  const start = (): Promise<void> => {
    running = new Promise<void>((resolve, reject) => {
      sync(descriptor, (error) => {
        // After a failed sync the kernel may have dropped the pages, and a later one that succeeds proves nothing: what
        // failed stays the answer to everybody.
        if (error) return reject(error);
        running = undefined;
        resolve();
      });
    });
    return running;
  };

  return {
    durable() {
      if (running === undefined) return start();
      next ??= running.then(() => {
        next = undefined;
        // Another caller may have begun one in this moment, after everything these have written.
        return running ?? start();
      });
      return next;
    },
    syncing: () => running,
    async close() {
      await (next ?? running)?.catch(() => undefined);
      closeSync(descriptor);
    },
  };
}

/** The name of a new file is on disk when its folder is. */
function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  fsyncSync(folder);
  closeSync(folder);
}
