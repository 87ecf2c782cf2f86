import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { VkitError } from '../errors/index.js';
import { shownPath } from './shown-path.js';

/** Reads the PEM file of a public key that bundles may be signed with. Throws `key_invalid`, also for a private key. */
export async function readPublicKey(path: string): Promise<KeyObject> {
  try {
    const pem = await readFile(path, 'utf8');
    // A private key would be read as its public half: whoever put it here has put a secret in the wrong place.
    if (pem.includes('PRIVATE KEY')) throw new Error('a private key');
    return createPublicKey(pem);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // The code alone: the text of the error names the path.
    const cause = Object.assign(new Error(code ?? 'not a key'), { code });
    if (code === 'ENOENT') {
      throw new VkitError(
        'key_invalid',
        `The trusted bundle key ${shownPath(path)} is not there.`,
        {
          hint: 'Make a pair with: vkit keys generate — or name the public key that you have.',
          cause,
        },
      );
    }
    throw new VkitError(
      'key_invalid',
      `The trusted bundle key ${shownPath(path)} is not a public key in a PEM file.`,
      {
        hint: 'Name the vkit_pub.pem that vkit keys generate wrote.',
        cause,
      },
    );
  }
}
