import { createHash, type KeyObject } from 'node:crypto';
import { VkitError } from '../errors/index.js';
import { decodeUtf8 } from '../util/utf8.js';
import {
  GRANT_ALGORITHMS,
  GRANT_CHARACTERS_MAX,
  GRANT_TYP,
  type GrantAlgorithm,
  grantDigest,
} from './grant-digest.js';
import { isGrantClaims } from './grant-shape.js';
import type { GrantClaims } from './model.js';
import { verifiedBytes } from './verified-bytes.js';

/** The most that clocks may differ (trust.md). */
export const GRANT_LEEWAY_SECONDS_MAX = 60;

export interface VerifyGrantOptions {
  /** The trusted public keys by RFC 7638 thumbprint. */
  keys: ReadonlyMap<string, KeyObject>;
  /** Those configured; the key's own type must fit as well. All of `GRANT_ALGORITHMS` if absent. */
  algorithms?: readonly GrantAlgorithm[];
  issuer: string;
  org: string;
  /** Milliseconds since the epoch. */
  now: number;
  /** 0 if absent, GRANT_LEEWAY_SECONDS_MAX at most. */
  leewaySeconds?: number;
  /** The bundle that is active now. */
  active: { checksum: string; epoch: number };
  /** SHA-256 (hex) of the canonical form of the query that is to run. */
  aqlSha256: string;
  /** Whoever presents the grant; absent where a ticket has already named them. */
  requesterId?: string;
  /** The reference it was presented under, where there is one: a revocation is looked up by it. */
  grantId?: string;
  /** Where signatures that were verified are remembered; of the same keys, and with all algorithms. */
  verified?: VerifiedGrants;
}

/** Signatures that one plane has verified, by the SHA-256 of the grant: everything else is checked at every use. */
export interface VerifiedGrants {
  readonly keys: ReadonlyMap<string, KeyObject>;
  readonly payloads: Map<string, Uint8Array>;
}

/** More grants than are in use at one time. */
const VERIFIED_MAX = 10_000;

export function rememberVerified(keys: ReadonlyMap<string, KeyObject>): VerifiedGrants {
  return { keys, payloads: new Map() };
}

/**
 * The claims of a grant that holds here and now. Throws `grant_expired`, `bundle_superseded` (another checksum or epoch
 * than the active bundle's), and `grant_invalid` for everything else, which does not say more: its `cause` does, for the
 * log. Revocation is the caller's to look up by `jti`.
 */
export async function verifyGrant(jwt: string, options: VerifyGrantOptions): Promise<GrantClaims> {
  const leeway = options.leewaySeconds ?? 0;
  if (!(leeway >= 0 && leeway <= GRANT_LEEWAY_SECONDS_MAX)) {
    throw new RangeError(`The leeway is 0 to ${GRANT_LEEWAY_SECONDS_MAX} seconds.`);
  }
  const claims = claimsOf(await verifiedPayload(jwt, options));
  if (claims.iss !== options.issuer) throw invalid('issuer');
  if (claims.aud !== options.org) throw invalid('audience');
  if (options.requesterId !== undefined && claims.sub !== options.requesterId) {
    throw invalid('subject');
  }
  if (options.grantId !== undefined && claims.jti !== options.grantId) throw invalid('id');
  if (claims.vkit.digest !== grantDigest(claims)) throw invalid('digest');
  if (claims.vkit.aql_sha256 !== options.aqlSha256) throw invalid('query');
  checkGrantTimes(claims, options.now, leeway);
  const { checksum, epoch } = options.active;
  if (claims.vkit.bundle_checksum !== checksum || claims.vkit.epoch !== epoch) {
    const message = 'The bundle this grant was issued under is no longer the active one.';
    throw new VkitError('bundle_superseded', message, { hint: 'Make the request again.' });
  }
  return claims;
}

async function verifiedPayload(jwt: string, options: VerifyGrantOptions): Promise<Uint8Array> {
  if (typeof jwt !== 'string' || jwt.length > GRANT_CHARACTERS_MAX) throw invalid('length');
  const { verified, keys, algorithms } = options;
  if (verified === undefined || verified.keys !== keys || algorithms !== undefined) {
    return verifySignature(jwt, options);
  }
  const hash = createHash('sha256').update(jwt).digest('base64');
  const known = verified.payloads.get(hash);
  if (known !== undefined) return known;
  const payload = await verifySignature(jwt, options);
  if (verified.payloads.size >= VERIFIED_MAX) verified.payloads.clear();
  verified.payloads.set(hash, payload);
  return payload;
}

function verifySignature(jwt: string, options: VerifyGrantOptions): Promise<Uint8Array> {
  const algorithms = options.algorithms ?? GRANT_ALGORITHMS;
  return verifiedBytes(jwt, { keys: options.keys, algorithms, typ: GRANT_TYP, invalid });
}

function claimsOf(payload: Uint8Array): GrantClaims {
  const text = decodeUtf8(payload);
  let value: unknown;
  try {
    value = JSON.parse(text ?? '');
  } catch {
    // The signer wrote no JSON; what it wrote is of no use to anyone.
    throw invalid('payload');
  }
  if (!isGrantClaims(value)) throw invalid('claims');
  return value;
}

/** Throws `grant_expired` or `grant_invalid` where a grant that was verified does not hold at a moment (milliseconds). */
export function checkGrantTimes({ nbf, iat, exp }: GrantClaims, now: number, leeway = 0): void {
  const nowSeconds = Math.floor(now / 1000);
  if (exp <= nbf) throw invalid('times');
  if (exp <= nowSeconds - leeway) {
    throw new VkitError('grant_expired', 'The grant has expired.', {
      hint: 'Make the request again.',
    });
  }
  if (nbf > nowSeconds + leeway || iat > nowSeconds + leeway) throw invalid('not yet valid');
}

function invalid(what: string): VkitError {
  return new VkitError('grant_invalid', 'The grant does not verify.', { cause: new Error(what) });
}
