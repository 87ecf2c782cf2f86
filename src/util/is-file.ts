import { stat } from 'node:fs/promises';

/** Whether a path leads to a regular file; false for what cannot be looked at. */
export function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
