import type { KeyObject } from 'node:crypto';
import { CompactSign, calculateJwkThumbprint } from 'jose';
import { VkitError } from '../errors/index.js';
import { signatureInput } from './canonicalise.js';
import type { Bundle, BundleSigning } from './model.js';

/** The `typ` of a bundle's signature; grants, tickets and audit records have others. */
export const BUNDLE_TYP = 'vkit-bundle';

const RSA_BITS_MIN = 2048;

/**
 * The one algorithm that a key signs bundles with: EdDSA for Ed25519, RS256 for RSA of 2048 bits or
 * more, ES256 for P-256. Throws `key_invalid` for any other key.
 */
export function signingAlgorithm(key: KeyObject): BundleSigning['alg'] {
  const details = key.asymmetricKeyDetails;
  if (key.asymmetricKeyType === 'ed25519') return 'EdDSA';
  if (key.asymmetricKeyType === 'rsa' && (details?.modulusLength ?? 0) >= RSA_BITS_MIN)
    return 'RS256';
  if (key.asymmetricKeyType === 'ec' && details?.namedCurve === 'prime256v1') return 'ES256';
  throw new VkitError(
    'key_invalid',
    `A bundle cannot be signed with a key of this kind (${key.asymmetricKeyType ?? 'symmetric'}).`,
    {
      hint: 'Make an Ed25519 key with `vkit keys generate`; RSA of 2048 bits and P-256 work too.',
    },
  );
}

/** The RFC 7638 thumbprint (SHA-256, base64url) of a public key. */
export async function keyId(publicKey: KeyObject): Promise<string> {
  return calculateJwkThumbprint(
    publicKey.export({ format: 'jwk' }) as Parameters<typeof calculateJwkThumbprint>[0],
  );
}

/**
 * The bundle with its `signing` filled in: a compact JWS with detached payload (RFC 7515, appendix F)
 * over the canonical form with `signing` null. The public key says the id.
 */
export async function signBundle(
  bundle: Bundle,
  privateKey: KeyObject,
  publicKey: KeyObject,
): Promise<Bundle> {
  const alg = signingAlgorithm(privateKey);
  const kid = await keyId(publicKey);
  const payload = new TextEncoder().encode(signatureInput(bundle));
  const jws = await new CompactSign(payload)
    .setProtectedHeader({ alg, kid, typ: BUNDLE_TYP })
    .sign(privateKey);
  const [header, , signature] = jws.split('.');
  return { ...bundle, signing: { alg, key_id: kid, signature: `${header}..${signature}` } };
}
