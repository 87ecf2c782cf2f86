import { type KeyObject, timingSafeEqual } from 'node:crypto';
import { compactVerify } from 'jose';
import { VkitError } from '../errors/index.js';
import { bundleChecksum, signatureInput } from './canonicalise.js';
import type { ParsedBundle } from './parse-bundle.js';
import { BUNDLE_TYP, keyId, signingAlgorithm } from './sign-bundle.js';

export interface VerifyBundleOptions {
  /** Public keys, any of which may have signed. */
  trustedKeys: readonly KeyObject[];
  /** The organisation the bundle must be for; absent: any. */
  org?: string;
  now: Date;
  /** Accept a bundle without a signature; one with a signature is verified all the same. */
  allowUnsigned?: boolean;
  /** Accept a bundle compiled from uncommitted changes. */
  allowDirty?: boolean;
}

/**
 * Verifies a parsed bundle as it was received. Resolves when it may be used; throws `bundle_checksum`,
 * `bundle_org`, `bundle_signature`, `bundle_dirty` or `bundle_expired` otherwise, in this order.
 */
export async function verifyBundle(
  parsed: ParsedBundle,
  options: VerifyBundleOptions,
): Promise<void> {
  const { document, bundle } = parsed;
  const header = bundle.bundle;
  if (!equal(bundleChecksum(document), header.checksum)) {
    throw new VkitError(
      'bundle_checksum',
      'The bundle was changed after it was compiled: its checksum does not match.',
      {
        hint: 'Compile it again with `vkit policy bundle`.',
      },
    );
  }
  if (options.org !== undefined && header.org_slug !== options.org) {
    throw new VkitError(
      'bundle_org',
      `The bundle is for the organisation "${header.org_slug}", not "${options.org}".`,
      {
        hint: `Compile it with \`vkit policy bundle --org ${options.org}\`, or deploy it to the right server.`,
      },
    );
  }
  if (bundle.signing === null) {
    if (options.allowUnsigned !== true)
      throw refused(
        'The bundle is not signed.',
        'Compile it with `vkit policy bundle --key .vkit/keys/vkit_priv.pem`.',
      );
  } else {
    await verifySignature(parsed, options.trustedKeys);
  }
  if (header.source.dirty && options.allowDirty !== true) {
    throw new VkitError('bundle_dirty', 'The bundle was compiled from uncommitted changes.', {
      hint: 'Commit them and run `vkit policy bundle` again.',
    });
  }
  if (header.expires_at !== null && !(Date.parse(header.expires_at) > options.now.getTime())) {
    throw new VkitError('bundle_expired', `The bundle expired at ${header.expires_at}.`, {
      hint: 'Compile and deploy a new one.',
    });
  }
}

async function verifySignature(
  { document, bundle }: ParsedBundle,
  trustedKeys: readonly KeyObject[],
): Promise<void> {
  const signing = bundle.signing;
  if (signing === null) return;
  const key = await trustedKey(signing.key_id, trustedKeys);
  if (key === undefined) {
    throw refused(
      `No trusted key has the id ${signing.key_id}.`,
      'Trust the public key on the server: `vkit keys trust FILE`.',
    );
  }
  const parts = signing.signature.split('.');
  const [header = '', payload, signature = ''] = parts;
  if (parts.length !== 3 || payload !== '')
    throw refused('The signature is not a JWS with detached payload.');
  if (
    signing.alg !== signingAlgorithm(key) ||
    !isExpectedHeader(header, signing.alg, signing.key_id)
  ) {
    throw refused('The header of the signature is not the one of a bundle.');
  }
  // The decoder ignores spare bits; comparing the text keeps one signature from having several spellings.
  if (Buffer.from(signature, 'base64url').toString('base64url') !== signature)
    throw refused('The signature of the bundle is not in canonical base64url.');
  const body = Buffer.from(signatureInput(document), 'utf8').toString('base64url');
  try {
    await compactVerify(`${header}.${body}.${signature}`, key, { algorithms: [signing.alg] });
  } catch (cause) {
    throw refused(
      'The signature of the bundle does not verify.',
      'Compile and sign it again.',
      cause,
    );
  }
}

async function trustedKey(kid: string, keys: readonly KeyObject[]): Promise<KeyObject | undefined> {
  for (const key of keys) if ((await keyId(key)) === kid) return key;
  return undefined;
}

/**
 * Exactly the three parameters with exactly these values. Writing the parsed header again must give
 * the same text, so that a repeated key or a second encoding is not read in two ways.
 */
function isExpectedHeader(encoded: string, alg: string, kid: string): boolean {
  const text = Buffer.from(encoded, 'base64url').toString('utf8');
  if (Buffer.from(text, 'utf8').toString('base64url') !== encoded) return false;
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    // Not JSON is simply not the expected header.
    return false;
  }
  if (typeof header !== 'object' || header === null || JSON.stringify(header) !== text)
    return false;
  const { alg: a, kid: k, typ: t, ...rest } = header as Record<string, unknown>;
  return a === alg && k === kid && t === BUNDLE_TYP && Object.keys(rest).length === 0;
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function refused(message: string, hint?: string, cause?: unknown): VkitError {
  return new VkitError('bundle_signature', message, {
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause }),
  });
}
