/** The shapes of `/api/v1` as they travel (api.md). The server answers them, the client reads them. */

import type { Aql } from '../aql/model.js';
import type { AuditRecord } from '../audit/model.js';

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
  on_behalf_of: string | null;
  created_by: string;
  created_at: string;
  expires_at: string | null;
  state: 'active' | 'expired' | 'revoked';
  /** Only in the answer that creates it. */
  token?: string;
}

export interface BundleBody {
  /** `v3` */
  id: string;
  version: string;
  state: BundleState;
  checksum: string;
  sequence: number;
  bundle_version: string;
  uploaded_at: string;
  uploaded_by: string;
  activated_at: string | null;
  reason: string | null;
}

export interface DeployAnswer extends BundleBody {
  epoch: number;
  /** False where identical bytes were there already. */
  created: boolean;
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
