import type { KeyObject } from 'node:crypto';
import { VkitError } from '../errors/index.js';
import { readPublicKey } from './read-public-key.js';

export interface TrustedBundleKeys {
  keys: readonly KeyObject[];
  /** Files that are named and not there yet: they trust nobody. */
  missing: readonly string[];
}

/**
 * Reads the files of the keys that bundles may be signed with, each time anew, so that a key holds from the moment its
 * file is there, and no longer than it is. Throws `key_invalid` for a file that holds anything but a public key.
 */
export async function readTrustedBundleKeys(paths: readonly string[]): Promise<TrustedBundleKeys> {
  const keys: KeyObject[] = [];
  const missing: string[] = [];
  for (const path of paths) {
    try {
      keys.push(await readPublicKey(path));
    } catch (error) {
      if (!isMissing(error)) throw error;
      missing.push(path);
    }
  }
  return { keys, missing };
}

function isMissing(error: unknown): boolean {
  const cause = error instanceof VkitError ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}
