import type { Kysely } from 'kysely';
import type { BundleState, NotificationState, RequestState } from './model.js';

/** Columns that hold JSON say so by their type: a text that `JSON.parse` takes. */
type Json = string;

interface AuditColumns {
  seq: number;
  event: string;
  timestamp: string;
  user_id: string | null;
  dataset: string | null;
  request_id: string | null;
}

/** The tables as they are stored: times as RFC 3339 text, numbers as integers, lists and objects as JSON text. */
export interface Tables {
  organisation: {
    /** Always 1: a data directory belongs to one organisation. */
    only_row: number;
    slug: string;
    epoch: number;
    highest_sequence: number | null;
    created_at: string;
  };
  users: {
    id: string;
    email: string;
    password_hash: string;
    roles: Json;
    clearance: string | null;
    region: string | null;
    purposes: Json;
    created_at: string;
    disabled_at: string | null;
    login: 'password' | 'oidc';
    oidc_subject: string | null;
  };
  sessions: {
    id: string;
    user_id: string;
    token_hash: string;
    created_at: string;
    expires_at: string;
    revoked_at: string | null;
    method: 'password' | 'oidc';
    client: string | null;
    address: string | null;
  };
  cli_logins: {
    code_hash: string;
    challenge: string;
    user_id: string;
    expires_at: string;
  };
  agent_tokens: {
    id: string;
    name: string;
    prefix: string;
    token_hash: string;
    roles: Json;
    clearance: string | null;
    region: string | null;
    purposes: Json;
    datasources: Json | null;
    on_behalf_of: string | null;
    created_by: string;
    created_at: string;
    expires_at: string | null;
    revoked_at: string | null;
  };
  bundles: {
    version: number;
    checksum: string;
    sequence: number;
    state: BundleState;
    document: string;
    bundle_version: string;
    expires_at: string | null;
    key_id: string | null;
    uploaded_by: string;
    uploaded_at: string;
    activated_at: string | null;
    activated_by: string | null;
    state_reason: string | null;
  };
  requests: {
    id: string;
    requester_kind: 'user' | 'agent';
    requester_id: string;
    aql: Json;
    aql_hash: string;
    datasource: string;
    purpose: string | null;
    reason: string | null;
    metadata: Json;
    narrowing: Json;
    ttl_seconds: number | null;
    state: RequestState;
    denial_type: string | null;
    state_reason: string | null;
    decision: Json | null;
    masked_fields: Json;
    created_at: string;
    expires_at: string;
    decided_at: string | null;
  };
  approvals: {
    request_id: string;
    approver_id: string;
    verdict: 'approved' | 'denied';
    notes: string | null;
    ttl_seconds: number | null;
    roles: Json;
    created_at: string;
  };
  grants: {
    id: string;
    request_id: string;
    requester_id: string;
    datasource: string;
    jwt: string;
    bundle_checksum: string;
    epoch: number;
    created_at: string;
    expires_at: string;
    revoked_at: string | null;
    revoke_reason: string | null;
  };
  datasources: {
    id: string;
    engine: string;
    environment: string;
    region: string | null;
    config: Json;
    include: Json | null;
    exclude: Json | null;
    username: string | null;
    created_at: string;
    updated_at: string;
  };
  secrets: {
    kind: string;
    id: string;
    key_id: string;
    salt: string;
    nonce: string;
    ciphertext: string;
    tag: string;
  };
  tickets: {
    id: string;
    grant_id: string;
    expires_at: string;
  };
  notifications: {
    id: string;
    channel: string;
    state: NotificationState;
    notice: Json;
    created_at: string;
    attempts: number;
    next_attempt_at: string;
    last_error: string | null;
  };
  idempotency: {
    requester_id: string;
    route: string;
    key: string;
    body_hash: string;
    request_id: string;
    created_at: string;
  };
  /** `record` is the truth, as its canonical line; the columns beside it only find it. */
  audit_records: AuditColumns & {
    hash: string;
    record: Json;
  };
  /** What records are found by; the latest may not be in it yet. */
  audit_index: AuditColumns;
  audit_checkpoints: {
    seq: number;
    timestamp: string;
    jws: string;
  };
  audit_sinks: {
    name: string;
    type: string;
    seq: number;
    checkpoint_seq: number;
    delivered_at: string | null;
    failures: number;
    failed_at: string | null;
    last_error: string | null;
  };
  schema_migrations: {
    version: number;
    name: string;
    applied_at: string;
  };
}

/** The database, or a transaction in it. */
export type Db = Kysely<Tables>;
