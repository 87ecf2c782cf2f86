import { createHash, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { VkitError } from '../errors/index.js';
import { decodeUtf8 } from '../util/utf8.js';
import { GRANT_ALGORITHMS } from './grant-digest.js';
import { algorithmOf, type GrantKey } from './issue-grant.js';
import { GRANT_ISSUER } from './model.js';
import { verifiedBytes } from './verified-bytes.js';

/** The `typ` of a ticket's header: no grant is taken for one, and no ticket for a grant. */
const TICKET_TYP = 'vkit-ticket';
/** How long a ticket can be redeemed. */
export const TICKET_SECONDS = 60;
const TICKET_CHARACTERS_MAX = 4_096;

/** For one fetch by one executor. Times are seconds since the epoch. */
export interface TicketClaims {
  iss: typeof GRANT_ISSUER;
  /** The address of the executor, as the control plane knows it. */
  aud: string;
  /** `tkt_…`: what can be redeemed once. */
  jti: string;
  iat: number;
  exp: number;
  org: string;
  grant_id: string;
  /** SHA-256 (hex) of the grant it goes with. */
  grant_sha256: string;
}

export function grantSha256(jwt: string): string {
  return createHash('sha256').update(jwt).digest('hex');
}

/** A signed ticket (compact JWS). */
export function issueTicket(claims: TicketClaims, key: GrantKey): Promise<string> {
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: algorithmOf(key.privateKey), kid: key.kid, typ: TICKET_TYP })
    .sign(key.privateKey);
}

export interface VerifyTicketOptions {
  keys: ReadonlyMap<string, KeyObject>;
  /** The addresses that the verifier answers for. */
  audiences: readonly string[];
  org: string;
  /** Milliseconds since the epoch. */
  now: number;
}

/** The claims of a ticket that holds here and now; `grant_invalid` for everything else, without saying why. */
export async function verifyTicket(
  ticket: string,
  { keys, audiences, org, now }: VerifyTicketOptions,
): Promise<TicketClaims> {
  if (ticket.length > TICKET_CHARACTERS_MAX) throw invalid('length');
  const algorithms = GRANT_ALGORITHMS;
  const payload = await verifiedBytes(ticket, { keys, algorithms, typ: TICKET_TYP, invalid });
  const claims = readClaims(payload);
  if (claims.iss !== GRANT_ISSUER || claims.org !== org) throw invalid('issuer');
  if (!audiences.includes(claims.aud)) throw invalid('audience');
  const seconds = Math.floor(now / 1000);
  if (claims.exp <= seconds || claims.exp - claims.iat > TICKET_SECONDS) throw invalid('times');
  // Issued in the future by more than clocks may differ, it would live longer than it may.
  if (claims.iat > seconds + TICKET_SECONDS) throw invalid('times');
  return claims;
}

const TEXTS = ['iss', 'aud', 'jti', 'org', 'grant_id', 'grant_sha256'] as const;

function readClaims(payload: Uint8Array): TicketClaims {
  let value: Partial<Record<string, unknown>> | null;
  try {
    value = JSON.parse(decodeUtf8(payload) ?? '');
  } catch {
    // The signer wrote no JSON; what it wrote is of no use to anyone.
    throw invalid('payload');
  }
  if (typeof value !== 'object' || value === null) throw invalid('payload');
  const { iat, exp } = value;
  const isWhole =
    TEXTS.every((name) => typeof value[name] === 'string') &&
    Number.isSafeInteger(iat) &&
    Number.isSafeInteger(exp);
  if (!isWhole) throw invalid('claims');
  return value as unknown as TicketClaims;
}

function invalid(what: string): VkitError {
  return new VkitError('grant_invalid', 'The ticket does not verify.', { cause: new Error(what) });
}
