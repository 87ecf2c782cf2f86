import type { KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { VkitError } from '../errors/index.js';
import {
  GRANT_CHARACTERS_MAX,
  GRANT_TYP,
  type GrantAlgorithm,
  type GrantContent,
  grantDigest,
} from './grant-digest.js';
import { isGrantClaims } from './grant-shape.js';

/** A private key and the RFC 7638 thumbprint that its signatures name as `kid`. */
export interface GrantKey {
  kid: string;
  privateKey: KeyObject;
}

/**
 * A signed grant (RFC 7519, compact): the claims given with their digest. Throws `key_invalid` for a key that is not
 * Ed25519, RSA or P-256, `limit_exceeded` for a grant that no verifier would read, and `internal` for claims that none
 * would accept.
 */
export async function issueGrant(content: GrantContent, key: GrantKey): Promise<string> {
  const claims = { ...content, vkit: { ...content.vkit, digest: grantDigest(content) } };
  if (!isGrantClaims(claims)) {
    throw new VkitError('internal', 'The grant to be signed does not have the form of a grant.');
  }
  const jwt = await new SignJWT({ ...claims })
    .setProtectedHeader({ alg: algorithmOf(key.privateKey), kid: key.kid, typ: GRANT_TYP })
    .sign(key.privateKey);
  if (jwt.length > GRANT_CHARACTERS_MAX) {
    const message = `The grant is longer than ${GRANT_CHARACTERS_MAX} characters.`;
    throw new VkitError('limit_exceeded', message, { hint: 'Ask for fewer fields at once.' });
  }
  return jwt;
}

/** The algorithm of a key; throws `key_invalid` for one that nothing is signed with. */
export function algorithmOf(key: KeyObject): GrantAlgorithm {
  if (key.asymmetricKeyType === 'ed25519') return 'EdDSA';
  if (key.asymmetricKeyType === 'rsa') return 'RS256';
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.asymmetricKeyType === 'ec' && curve === 'prime256v1') return 'ES256';
  throw new VkitError('key_invalid', 'Grants are signed with an Ed25519, RSA or P-256 key.');
}
