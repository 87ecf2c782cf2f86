import { closeSync, fdatasync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { type SharedSync, sharedSync } from './shared-sync.js';

/** A file that another part of this process appends to. */
export interface DurableLog extends SharedSync {
  /** Waits for what is under way, and closes. */
  close(): Promise<void>;
}

/** Calls back when the file's data is on disk. */
export type Sync = (descriptor: number, done: (error: Error | null) => void) => void;

/** `fdatasync` on Linux also writes the file's length; on macOS Node asks for F_FULLFSYNC. */
export function openDurableLog(path: string, sync: Sync = fdatasync): DurableLog {
  const descriptor = openSync(path, 'r+');
  syncFolder(dirname(path));
  const shared = sharedSync({
    // After a failed sync the kernel may have dropped the pages, and a later one that succeeds proves nothing.
    isFailureFinal: true,
    sync: () =>
      new Promise<void>((resolve, reject) => {
        sync(descriptor, (error) => (error ? reject(error) : resolve()));
      }),
  });
  return {
    ...shared,
    async close() {
      // One after the other: the next begins when the first has ended.
      await shared.syncing()?.catch(() => undefined);
      await shared.syncing()?.catch(() => undefined);
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
