import { type KeyObject, randomBytes } from 'node:crypto';
import { VkitError } from '../errors/index.js';
import { deriveKey } from './derive-key.js';
import type { MasterSecret, MasterSource } from './master-secret.js';
import {
  openSecret,
  readBase64,
  SALT_BYTES,
  type SealedSecret,
  type SecretAddress,
  sealSecret,
} from './sealed-secret.js';

/** Seals secrets one by one, each under a key of its own; keys and plain texts are in memory alone. */
export interface Vault {
  /** Throws `key_invalid` and `key_exposed` for the master secret, `limit_exceeded` for a secret that is too long. */
  seal(address: SecretAddress, text: string): Promise<SealedSecret>;
  /** Throws the same, and `vault_failed` for a secret that does not open. */
  open(address: SecretAddress, sealed: SealedSecret): Promise<string>;
  /** The id of the master secret that it seals under now. */
  sealsUnder(): Promise<string>;
}

/** Derived keys that are held: each costs a quarter of a second, and few datasources have more than one. */
const KEYS_HELD_MAX = 256;

export function createVault(masters: MasterSource): Vault {
  const held = new Map<string, Promise<KeyObject>>();
  const keyOf = (master: MasterSecret, salt: Buffer): Promise<KeyObject> => {
    const name = `${master.id} ${salt.toString('base64')}`;
    const key = held.get(name) ?? deriveKey(master.secret, salt);
    held.delete(name);
    held.set(name, key);
    key.catch(() => held.delete(name));
    const [oldest] = held.keys();
    if (held.size > KEYS_HELD_MAX && oldest !== undefined) held.delete(oldest);
    return key;
  };
  return {
    sealsUnder: async () => (await masters.forSealing()).id,
    async seal(address, text) {
      const master = await masters.forSealing();
      const salt = randomBytes(SALT_BYTES);
      const sealed = sealSecret(await keyOf(master, salt), address, text);
      return { key_id: master.id, salt: salt.toString('base64'), ...sealed };
    },
    async open(address, sealed) {
      const master = await masters.forOpening(sealed.key_id);
      if (!master) {
        throw new VkitError(
          'vault_failed',
          `The secret of ${address.kind} ${address.id} is sealed under another master secret than this server has.`,
          { hint: 'Start the server with the master secret it was sealed under, or give it anew.' },
        );
      }
      const salt = readBase64(sealed.salt, SALT_BYTES);
      return openSecret(await keyOf(master, salt), address, sealed);
    },
  };
}
