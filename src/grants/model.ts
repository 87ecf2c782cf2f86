import type { Mask } from '../masking/model.js';

/** The issuer of every grant. */
export const GRANT_ISSUER = 'vkit';

/** What a grant authorises, beside the registered JWT claims. */
export interface GrantBody {
  request_id: string;
  datasource: string;
  /** SHA-256 (hex) of the canonical AQL. */
  aql_sha256: string;
  bundle_checksum: string;
  epoch: number;
  roles: readonly string[];
  clearance: string | number | null;
  region: string | null;
  environment: string;
  purpose: string | null;
  /** `dataset.field` to mask, sorted by key. */
  masks: Readonly<Record<string, Mask>>;
  max_rows: number | null;
  operations: readonly ['select'];
}

/** The claims of a grant (trust.md): registered claims of RFC 7519 and `vkit`. Times are seconds since the epoch. */
export interface GrantClaims {
  iss: string;
  /** The organisation. */
  aud: string;
  /** The requester's id. */
  sub: string;
  /** The grant's id, `gr_…`. */
  jti: string;
  iat: number;
  nbf: number;
  exp: number;
  vkit: GrantBody & {
    /** SHA-256 (hex) over the canonical form of all other claims. */
    digest: string;
  };
}
