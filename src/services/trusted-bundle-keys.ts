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
 * file is there, and no longer than it is. Throws `key_invalid` for a file that holds anything but a public key, or one of
 * `own`, the server's keys: whoever holds the server's files would then decide what it enforces.
 */
export async function readTrustedBundleKeys(
  paths: readonly string[],
  own: readonly KeyObject[] = [],
): Promise<TrustedBundleKeys> {
  const keys: KeyObject[] = [];
  const missing: string[] = [];
  for (const path of paths) {
    try {
      const key = await readPublicKey(path);
      if (own.some((one) => one.equals(key))) throw ownKey(path);
      keys.push(key);
    } catch (error) {
      if (!isMissing(error)) throw error;
      missing.push(path);
    }
  }
  return { keys, missing };
}

function ownKey(path: string): VkitError {
  return new VkitError(
    'key_invalid',
    `The trusted bundle key ${path} is a key of the server itself, which never signs bundles.`,
    {
      hint: 'Take it out of trusted_bundle_keys; make a pair for bundles with: vkit keys generate',
    },
  );
}

function isMissing(error: unknown): boolean {
  const cause = error instanceof VkitError ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}
