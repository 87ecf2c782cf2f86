import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
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

/** Whether a file of this name is a key of this use. */
export function isKeyOf(use: KeyUse, name: string): boolean {
  return name.startsWith(`${use}_`) && name.endsWith('.pem');
}

/**
 * The former keys of a use: every `<use>_….pem` but the one that signs, public or private, by the texts of the files. Throws
 * `key_invalid` for one that is no such key.
 */
export async function formerKeys(
  texts: ReadonlyMap<string, string>,
  use: KeyUse,
  signing: string,
): Promise<FormerKey[]> {
  const names = [...texts.keys()].filter((name) => isKeyOf(use, name) && name !== signing);
  if (names.length > FORMER_MAX) {
    throw new VkitError('key_invalid', `There are more than ${FORMER_MAX} former ${use} keys.`);
  }
  return Promise.all(
    names.sort().map(async (name) => {
      const publicKey = parse(texts.get(name) ?? '', name);
      return { kid: await calculateJwkThumbprint(publicKey, 'sha256'), publicKey };
    }),
  );
}

function parse(pem: string, name: string): KeyObject {
  try {
    const publicKey = createPublicKey(pem.includes('PRIVATE KEY') ? createPrivateKey(pem) : pem);
    if (publicKey.asymmetricKeyType === 'ed25519') return publicKey;
  } catch {
    // The decoder's message is about the bytes of what may be a secret.
  }
  throw new VkitError('key_invalid', `The server's key ${name} is no Ed25519 key.`, {
    hint: 'Former keys of the server lie there; move whatever else it is to another place.',
  });
}
