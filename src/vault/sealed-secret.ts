import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';
import { VkitError } from '../errors/index.js';
import { isCleanText } from '../util/utf8.js';

/** What a secret belongs to: a sealed one opens for exactly this and nothing else. */
export interface SecretAddress {
  org: string;
  /** `datasource`, or another sort of thing that has secrets. */
  kind: string;
  id: string;
  /** Where the secret is sent and as whom, in a canonical form. */
  endpoint: string;
}

/** A secret at rest: nothing else of it is kept. All but the id are base64 (RFC 4648, section 4). */
export interface SealedSecret {
  /** The master secret it is sealed under. */
  key_id: string;
  salt: string;
  nonce: string;
  ciphertext: string;
  tag: string;
}

export const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** A private key of a cloud's service account is the largest that anybody keeps. */
export const SECRET_BYTES_MAX = 64 * 1024;

/**
 * AES-256-GCM (NIST SP 800-38D) with a fresh nonce; the address is authenticated and not stored. Throws `limit_exceeded`
 * for a text that is too long, `validation` for what is no text.
 */
export function sealSecret(
  key: KeyObject,
  address: SecretAddress,
  text: string,
): Omit<SealedSecret, 'key_id' | 'salt'> {
  if (!isCleanText(text)) throw new VkitError('validation', 'The secret is not valid text.');
  const plain = Buffer.from(text, 'utf8');
  if (plain.length > SECRET_BYTES_MAX) {
    throw new VkitError('limit_exceeded', `A secret has at most ${SECRET_BYTES_MAX} bytes.`);
  }
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(authenticated(address));
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()]);
  plain.fill(0);
  return {
    nonce: nonce.toString('base64'),
    ciphertext: ciphertext.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
  };
}

/** The reverse; throws `vault_failed` for another key, another address and any changed bit, without saying which. */
export function openSecret(key: KeyObject, address: SecretAddress, sealed: SealedSecret): string {
  const nonce = readBase64(sealed.nonce, NONCE_BYTES);
  const tag = readBase64(sealed.tag, TAG_BYTES);
  const ciphertext = readBase64(sealed.ciphertext);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(authenticated(address));
  decipher.setAuthTag(tag);
  let plain: Buffer;
  try {
    plain = Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  } catch {
    // OpenSSL says that it does not verify, and nothing more is to be said.
    throw damaged(address);
  }
  const text = plain.toString('utf8');
  plain.fill(0);
  return text;
}

/** The bytes of a part, in the one way there is to write them: what decodes alike but reads otherwise was changed. */
export function readBase64(text: string, length?: number): Buffer {
  const bytes = Buffer.from(text, 'base64');
  const isWhole = length === undefined || bytes.length === length;
  if (isWhole && bytes.toString('base64') === text) return bytes;
  throw new VkitError('vault_failed', 'A sealed secret is damaged.', { hint: HINT });
}

/** A JSON array of texts: no two addresses have the same bytes. */
function authenticated({ org, kind, id, endpoint }: SecretAddress): Buffer {
  return Buffer.from(JSON.stringify(['vkit-secret-v1', org, kind, id, endpoint]), 'utf8');
}

const HINT = 'Give the secret anew, or restore the database of the server from its backup.';

function damaged({ kind, id }: SecretAddress): VkitError {
  return new VkitError('vault_failed', `The sealed secret of ${kind} ${id} does not verify.`, {
    hint: HINT,
  });
}
