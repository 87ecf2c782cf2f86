import type { KeyObject } from 'node:crypto';
import { compactVerify } from 'jose';
import { VkitError } from '../errors/index.js';
import { GRANT_ALGORITHMS, type GrantAlgorithm } from './grant-digest.js';

export interface SignatureOptions {
  /** The trusted public keys by RFC 7638 thumbprint. */
  keys: ReadonlyMap<string, KeyObject>;
  algorithms: readonly GrantAlgorithm[];
  /** The one `typ` the header may have. */
  typ: string;
  /** The error for a token that does not verify; the text is for the log. */
  invalid: (what: string) => VkitError;
}

/** The payload of a compact JWS (RFC 7515) whose signature verifies. */
export async function verifiedBytes(jwt: string, options: SignatureOptions): Promise<Uint8Array> {
  const { keys, algorithms, typ, invalid } = options;
  const segments = jwt.split('.');
  if (segments.length !== 3 || !segments.every(isCanonicalBase64url)) throw invalid('form');
  try {
    const { payload } = await compactVerify(
      jwt,
      (header) => {
        // Exactly these three: nothing that names a key of its own (jwk, jku, x5c), and nothing critical.
        if (Object.keys(header).sort().join() !== 'alg,kid,typ') throw invalid('header');
        if (header.typ !== typ) throw invalid('typ');
        const key = keys.get(header.kid ?? '');
        if (key === undefined || key.type !== 'public') throw invalid('key');
        return key;
      },
      // Whatever is configured, a symmetric algorithm is never among them.
      { algorithms: GRANT_ALGORITHMS.filter((name) => algorithms.includes(name)) },
    );
    return payload;
  } catch (error) {
    throw error instanceof VkitError ? error : invalid('signature');
  }
}

/** A decoder ignores spare bits, which would give one token several spellings. */
function isCanonicalBase64url(segment: string): boolean {
  return segment !== '' && Buffer.from(segment, 'base64url').toString('base64url') === segment;
}
