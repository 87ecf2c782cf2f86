/** What is recorded; the log's own parts (`audit_id`, `seq`, `prev_hash`, `hash`, `signature`) are added when it is appended. */
export interface AuditEvent {
  /** Dotted, past tense: `query.executed`, `request.denied`, `grant.issued`, … */
  event: string;
  /** RFC 3339 in UTC with milliseconds. */
  timestamp: string;
  correlation_id?: string;
  /** The audit_id of the record this one completes. */
  of?: string;
  requester?: {
    user_id: string;
    email?: string;
    /** Of an agent, as whoever made it called it. */
    name?: string;
    role?: string;
    roles?: readonly string[];
    clearance_level?: number;
    region?: string;
    kind: 'user' | 'agent' | 'system';
    on_behalf_of?: string;
  };
  request?: {
    request_id?: string;
    datasource_id?: string;
    dataset?: string;
    columns_requested?: readonly string[];
    /** HMAC (hex) of the AQL's hash under the audit key: a plain hash of a guessable value is the value. */
    aql_hash?: string;
    purpose?: string;
    metadata?: Readonly<Record<string, string>>;
  };
  policy_evaluation?: {
    policies_applied: readonly {
      policy_id: string;
      action: string;
      fields_affected: readonly string[];
      mask_type?: string;
    }[];
    access_granted: boolean;
    bundle_checksum?: string;
    reason?: string;
    type?: string;
  };
  execution?: { execution_time_ms: number; rows_returned: number; error?: string };
  metadata?: Readonly<Record<string, string | number | boolean | null>>;
}

/** One link of the chain, in the shape of trust.md. */
export interface AuditRecord extends AuditEvent {
  audit_id: string;
  /** 1 for the first record, without gaps. */
  seq: number;
  /** The former record's `hash`; 64 zeros for the first. */
  prev_hash: string;
  /** SHA-256 (hex) over the canonical form (RFC 8785) of the record without `hash` and `signature`. */
  hash: string;
  /** Compact JWS with detached payload over the hash, `typ: vkit-audit`. */
  signature: string;
}
