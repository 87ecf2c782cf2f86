import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { calculateJwkThumbprint } from 'jose';
import { VkitError } from '../errors/index.js';

/** A key that signs nothing any more; what it signed still verifies. */
export interface FormerKey {
  /** RFC 7638 thumbprint of the public key. */
  kid: string;
  /** Ed25519. */
  publicKey: KeyObject;
}

/** What a key of the server's signs; the first word of its files. */
export type KeyUse = 'grant' | 'audit';

/** Former keys of one use: of a JWK Set, clients read 64 keys, and two sign. */
const FORMER_MAX = 31;

/**
 * The former keys of a use: every `<use>_….pem` in the folder but the one that signs, public or private. Throws
 * `key_invalid` for a file that is no such key, and where `checkPrivate` throws for one that holds a private key.
 */
export async function readFormerKeys(
  folder: string,
  use: KeyUse,
  { signing, checkPrivate }: { signing: string; checkPrivate: (path: string) => Promise<void> },
): Promise<FormerKey[]> {
  const names = (await readdir(folder)).filter(
    (name) => name.startsWith(`${use}_`) && name.endsWith('.pem') && name !== signing,
  );
  if (names.length > FORMER_MAX) {
    throw new VkitError('key_invalid', `${folder} holds more than ${FORMER_MAX} former keys.`);
  }
  return Promise.all(
    names.sort().map(async (name) => {
      const path = join(folder, name);
      const pem = await readFile(path);
      const { publicKey, isPrivate } = parse(pem, path);
      if (isPrivate) await checkPrivate(path);
      return { kid: await calculateJwkThumbprint(publicKey, 'sha256'), publicKey };
    }),
  );
}

function parse(pem: Buffer, path: string): { publicKey: KeyObject; isPrivate: boolean } {
  const isPrivate = pem.includes('PRIVATE KEY');
  try {
    const publicKey = createPublicKey(isPrivate ? createPrivateKey(pem) : pem);
    if (publicKey.asymmetricKeyType === 'ed25519') return { publicKey, isPrivate };
  } catch {
    // The decoder's message is about the bytes of what may be a secret.
  }
  throw new VkitError('key_invalid', `The file ${path} is no Ed25519 key.`, {
    hint: 'Former keys of the server lie there; move whatever else it is to another place.',
  });
}
