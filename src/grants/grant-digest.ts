import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { GrantBody, GrantClaims } from './model.js';

/** The `typ` of a grant's header; no other signed thing of vkit has it, and no other is taken for a grant. */
export const GRANT_TYP = 'vkit-grant';

/** The algorithms (RFC 7518, RFC 8037) a grant may be signed with; all are asymmetric. */
export const GRANT_ALGORITHMS = ['EdDSA', 'RS256', 'ES256'] as const;
export type GrantAlgorithm = (typeof GRANT_ALGORITHMS)[number];

/** Room for masks of some hundred fields; what is longer is refused before it is read. */
export const GRANT_CHARACTERS_MAX = 65_536;

/** The claims of a grant before its digest is taken. */
export type GrantContent = Omit<GrantClaims, 'vkit'> & { vkit: GrantBody };

/** SHA-256 (hex) over the canonical form (RFC 8785) of all claims but the digest itself. */
export function grantDigest(content: GrantContent | GrantClaims): string {
  const { digest: _digest, ...body } = content.vkit as Partial<GrantClaims['vkit']>;
  const text = canonicalize({ ...content, vkit: body });
  if (text === undefined) throw new Error('A grant is an object.');
  return createHash('sha256').update(text).digest('hex');
}
