/** The shapes of `/api/v1` as they travel (api.md). The server answers them, the client reads them. */

import type { Aql } from '../aql/model.js';
import type { AuditRecord } from '../audit/model.js';
import type { RequestOutcome } from '../bundle/compare/compare-outcomes.js';
import type { Direction } from '../bundle/compare/model.js';
import type { ExplainedPolicy } from '../policy/explain-policies.js';
import type { Decision, Reference } from '../policy/model.js';
import type { ScannedSchema } from '../schema/model.js';

export type RequestState = 'pending' | 'approved' | 'denied' | 'expired' | 'cancelled';
export type BundleState = 'uploaded' | 'active' | 'superseded' | 'revoked';

export interface LoginAnswer {
  token: string;
  expires_at: string;
  user: WhoAmI;
  correlation_id: string;
}

export interface WhoAmI {
  id: string;
  kind: 'user' | 'agent';
  email: string | null;
  name: string;
  org: string;
  roles: readonly string[];
  clearance: string | null;
  region: string | null;
  purposes: readonly string[];
  on_behalf_of: string | null;
}

export interface UserBody {
  id: string;
  email: string;
  roles: readonly string[];
  clearance: string | null;
  region: string | null;
  purposes: readonly string[];
  /** The one way in: a password, or the identity provider. */
  login: 'password' | 'oidc';
  state: 'active' | 'disabled';
  created_at: string;
}

export interface AgentTokenBody {
  id: string;
  name: string;
  prefix: string;
  roles: readonly string[];
  clearance: string | null;
  region: string | null;
  purposes: readonly string[];
  /** The only datasources there are for it; null: all. */
  datasources: readonly string[] | null;
  on_behalf_of: string | null;
  created_by: string;
  created_at: string;
  expires_at: string | null;
  state: 'active' | 'expired' | 'revoked';
  /** Only in the answer that creates it. */
  token?: string;
}

/** A login that is, or was, in use. */
export interface SessionBody {
  id: string;
  user_id: string;
  email: string | null;
  state: 'active' | 'expired' | 'revoked';
  method: 'password' | 'oidc';
  /** The name and version of the client, and the peer's address, when it began. */
  client: string | null;
  address: string | null;
  created_at: string;
  expires_at: string;
  /** Whether this call was made with it. */
  current: boolean;
}

/** The answer to `GET /auth/discovery`: which logins there are. */
export interface AuthDiscovery {
  preferred: 'password' | 'oidc' | 'token';
  methods: readonly ('password' | 'oidc' | 'token')[];
  /** Where a browser begins, with `oidc`. */
  authorize_url?: string;
  correlation_id: string;
}

/** A database that the server knows: by itself (`server`), or from the active bundle alone. Never a secret. */
export interface DatasourceBody {
  id: string;
  engine: string;
  environment: string;
  region: string | null;
  config: Readonly<Record<string, unknown>>;
  include: readonly string[] | null;
  exclude: readonly string[] | null;
  /** Whom the server logs in as; null where the engine has no logins, nobody said, or the environment says. */
  username: string | null;
  /** Where the secret is: `vaultkit`, or what the bundle says; null where none is needed. */
  credentials: string | null;
  /** Whether a secret is sealed for it. */
  has_secret: boolean;
  origin: 'server' | 'bundle';
  /** Whether the active bundle has it, at the same address with the same TLS and options. */
  in_bundle: 'same' | 'differs' | 'absent';
  created_at: string | null;
  updated_at: string | null;
}

/** Body of `POST /orgs/:org/datasources`; what is absent is null, the environment `production`. */
export interface NewDatasource extends DatasourceChange {
  id: string;
  engine: string;
}

/** Body of `PATCH /orgs/:org/datasources/:id`; what is absent stays. */
export interface DatasourceChange {
  engine?: string;
  environment?: string;
  region?: string | null;
  config?: Readonly<Record<string, unknown>>;
  include?: readonly string[] | null;
  exclude?: readonly string[] | null;
  username?: string | null;
  /** Sealed for the endpoint that the rest describes; empty for a login without one. */
  password?: string;
}

export interface DatasourceAnswer extends DatasourceBody {
  /** What became of the secret: `none` was there before and is not now. */
  secret: 'sealed' | 'kept' | 'discarded' | 'none';
  correlation_id: string;
}

/** What one call of a rotation of the vault did. */
export interface RotatedVaultBody {
  /** The master secret that is sealed under now. */
  key_id: string;
  resealed: number;
  failed: { kind: string; id: string; reason: string }[];
  /** Secrets that are still under another one. */
  remaining: number;
  /** Where the next call begins; null at the end. */
  next: { kind: string; id: string } | null;
  correlation_id: string;
}

export interface TestedDatasourceBody {
  id: string;
  engine: string;
  server: string;
  latency_ms: number;
  correlation_id: string;
}

/** What the server read of a database, and what it knows of it. */
export interface ScannedDatasourceBody {
  datasource: DatasourceBody;
  scanned: ScannedSchema;
  correlation_id: string;
}

export interface BundleBody {
  /** `v3` */
  id: string;
  version: string;
  state: BundleState;
  checksum: string;
  sequence: number;
  /** The commit it was compiled from. */
  bundle_version: string;
  expires_at: string | null;
  /** RFC 7638 thumbprint of the key that signed it; null where nobody did. */
  key_id: string | null;
  uploaded_at: string;
  uploaded_by: string;
  /** When and by whom it became active last. */
  activated_at: string | null;
  activated_by: string | null;
  /** Why it is in its state, where somebody said so. */
  reason: string | null;
}

/** Why a version is not served, or would not be: the code, and the sentence. */
export interface BundleRefusal {
  type: string;
  message: string;
}

export interface ShownBundle extends BundleBody {
  uploaded_by_email: string | null;
  activated_by_email: string | null;
  /** Null where nothing stands in its way at this moment. */
  refusal: BundleRefusal | null;
  /** The document as it was uploaded: checksum and signature verify over it. */
  bundle: unknown;
  correlation_id: string;
}

export interface DeployAnswer extends BundleBody {
  epoch: number;
  /** False where identical bytes were there already. */
  created: boolean;
  /** The content was there already, signed by another key; its signature is the one of this upload now. */
  resigned?: true;
  /** The version was in that state before, and nothing happened: nothing was recorded, and no grant ended. */
  unchanged?: true;
  correlation_id: string;
}

/** The answer about a request, the same when it is submitted, listed, decided and polled. */
export interface RequestAnswer {
  id: string;
  request_id: string;
  status: 'granted' | 'pending_approval' | 'denied';
  state: RequestState;
  dataset: string;
  datasource: string;
  created_at: string;
  requester: string;
  grant_ref?: string;
  grant_id?: string;
  expires_at?: string;
  masked_fields?: readonly string[];
  policy_id?: string;
  reason?: string;
  type?: string;
  denied_fields?: readonly string[];
  /** Of a denial: what it is about, and what would pass instead. */
  details?: DenialDetails;
  approver_role?: string;
  approvals?: readonly {
    approver_role: string;
    required: number;
    given: number;
    policy_id: string;
  }[];
  purpose?: string;
  correlation_id: string;
}

/** What helps after a denial. Nothing in it depends on what the requester may not know of. */
export interface DenialDetails {
  /** Names of the query that are denied, or, not told apart, unknown or not open; as the query writes them. */
  fields: readonly string[];
  /** The smallest changes first; empty where nothing near the query would pass. */
  suggestions: readonly Suggestion[];
}

/** A request that would have passed at the moment of the answer. */
export interface Suggestion {
  /** What is changed, as a sentence. */
  change: string;
  /** Names that were left out. */
  without: readonly string[];
  status: 'granted' | 'pending_approval';
  /** The whole body of `POST /orgs/:org/requests`, to be sent as it stands. */
  body: SubmitBody;
  /** Who has to agree first, where somebody has to. */
  approvals?: readonly { approver_role: string; required: number }[];
  /** Metadata that has to be added to the body first, or it is refused (`metadata_required`). */
  metadata_required?: readonly string[];
}

export interface ApprovalItem extends RequestAnswer {
  aql: Aql;
  columns: readonly string[];
  request_reason?: string;
  metadata: Readonly<Record<string, string>>;
}

export interface FetchAnswer {
  rows: readonly Record<string, unknown>[];
  meta: {
    masked_fields: readonly string[];
    row_count: number;
    truncated: boolean;
    columns: readonly { name: string; type: string; masked?: string }[];
  };
  correlation_id: string;
}

export interface GrantBody {
  id: string;
  grant_ref: string;
  grant_id: string;
  request_id: string;
  state: 'active' | 'expired' | 'revoked';
  expires_at: string;
  revoked_at: string | null;
  reason: string | null;
  correlation_id: string;
}

export interface DatasetsAnswer {
  datasets: readonly {
    name: string;
    datasource: string;
    environment: string;
    visibility: 'allow' | 'require_approval' | 'deny';
  }[];
  correlation_id: string;
}

export interface DatasetSchemaAnswer {
  dataset: string;
  datasource: string;
  fields: readonly {
    name: string;
    type: string;
    visibility: 'allow' | 'require_approval' | 'deny';
    masked: boolean;
    sensitivity: string;
  }[];
  correlation_id: string;
}

export interface AuditPage {
  records: readonly AuditRecord[];
  /** Give it back as `cursor` for the next page; null after the last. */
  next_cursor: string | null;
  correlation_id: string;
}

/** A signed checkpoint of the audit log; everything beside `jws` only shows what it says. */
export interface CheckpointItem {
  /** `checkpoint_<seq>` */
  id: string;
  /** The last record that it covers. */
  seq: number;
  hash: string | null;
  /** Root (hex) of the Merkle tree (RFC 6962) over the hashes of records 1 to `seq`. */
  root: string | null;
  timestamp: string;
  /** Compact JWS, `typ: vkit-audit-checkpoint`. */
  jws: string;
}

export interface CheckpointPage {
  checkpoints: readonly CheckpointItem[];
  next_cursor: string | null;
  correlation_id: string;
}

/** A place that audit records are sent to. */
export interface SinkItem {
  /** Its name. */
  id: string;
  name: string;
  type: string;
  /** The last record that is known to be there. */
  seq: number;
  /** Records that are not known to be there, and the age in seconds of the oldest. */
  records: number;
  seconds: number;
  failures: number;
  delivered_at: string | null;
  last_error: string | null;
}

export interface SinksAnswer {
  sinks: readonly SinkItem[];
  correlation_id: string;
}

/** Body of `POST /orgs/:org/policy_bundles/replay`; each bundle is a version (`v3`), `active`, or a document. */
export interface ReplayBody {
  from: unknown;
  to: unknown;
  /** Requests that are decided again, the newest; 1,000 if absent. */
  limit?: number;
}

/** One of the two bundles. */
export interface ReplayedBundle {
  bundle_version: string;
  sequence: number;
  checksum: string;
  /** Why the server would not activate it at this moment; null where nothing stands in its way. */
  refusal: BundleRefusal | null;
}

/** Requests that one bundle decides in one way and the other in another. Never a value of a filter. */
export interface ReplayChange {
  direction: Direction;
  dataset: string;
  from: RequestOutcome;
  to: RequestOutcome;
  /** The policies that decide. */
  policies: { from: string | null; to: string | null };
  count: number;
  /** Ids of some of the requests, the newest first. */
  requests: readonly string[];
  /** Names of some of those who asked. */
  requesters: readonly string[];
}

export interface ReplayAnswer {
  from: ReplayedBundle;
  to: ReplayedBundle;
  summary: Record<Direction, number> & {
    /** Requests decided again. */
    replayed: number;
    /** Of accounts that are gone or may do nothing any more: both deny them. */
    skipped: number;
    /** When the oldest of them was made; null where there is none. */
    since: string | null;
    /** Whether there are older ones that were not looked at. */
    truncated: boolean;
  };
  /** Widening first, then by how many there are. */
  changes: readonly ReplayChange[];
  correlation_id: string;
}

export interface ExplanationRequester {
  roles: readonly string[];
  clearance: string | null;
  region: string | null;
  purpose: string | null;
  purpose_assigned: boolean;
  /** Of an account of the server: who it is, and for whom it acts. */
  account?: { id: string; kind: 'user' | 'agent'; name: string; on_behalf_of: string | null };
}

/** What policies decide about a query, and why. */
export interface Explanation {
  /** RFC 3339: the moment it is decided for. */
  at: string;
  requester: ExplanationRequester;
  references: readonly Reference[];
  /** Names of the query that are not in the registry. */
  unknown: readonly string[];
  /** Of those names the ones that something in the registry resembles, and what; absent where there are none. */
  suggestions?: Readonly<Record<string, string>>;
  /** Without its trace; the checksum is null where the policies are a project's files. */
  decision: Omit<Decision, 'trace' | 'bundle_checksum'> & { bundle_checksum: string | null };
  /** Every policy, highest priority first. */
  trace: readonly ExplainedPolicy[];
}

/** The answer to `POST /orgs/:org/policy_bundles/explain`: an explanation, or that no bundle decides anything. */
export type ExplainAnswer = (Explanation | NothingDecides) & { correlation_id: string };

export interface NothingDecides {
  status: 'denied';
  type: 'no_active_bundle';
  reason: string;
}

/** Body of `POST /orgs/:org/policy_bundles/explain`: a query or a dataset, for a requester described or an account. */
export interface ExplainBody {
  aql?: unknown;
  dataset?: string;
  fields?: readonly string[];
  requester: {
    roles?: readonly string[];
    clearance?: string;
    region?: string;
    purpose?: string;
    purpose_assigned?: boolean;
    agent?: boolean;
    /** An account's email or id, or an agent's name, instead of attributes; of these only the purpose can stand beside it. */
    user?: string;
  };
  /** RFC 3339; absent: now. */
  at?: string;
}

/** Body of `POST /orgs/:org/requests`. */
export interface SubmitBody {
  aql: unknown;
  datasource?: string;
  purpose?: string;
  reason?: string;
  metadata?: Record<string, string>;
  ttl_seconds?: number;
  approval_required?: boolean;
  role?: string;
  environment?: string;
  requester_region?: string;
  requester_clearance?: string;
  dataset_region?: string;
}

/** Body of `POST /orgs/:org/intent/requests`: fields of one dataset, every readable one where none is named. */
export interface IntentBody {
  request: {
    dataset: string;
    fields?: readonly string[];
    filters?: readonly unknown[];
    limit?: number;
    purpose?: string;
  };
  requester_region?: string;
  requester_clearance?: string;
}
