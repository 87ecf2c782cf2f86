import type { Aql } from '../../aql/model.js';
import type { OutputColumn } from '../../aql/plan.js';
import type { Credentials, EncodedRow } from '../../engines/contract.js';
import type { ErrorCodeName } from '../../errors/index.js';
import type { Identity } from '../control/identity.js';

/** What a control plane asks of an executor: `POST /v1/execute`. */
export interface ExecuteBody {
  ticket: string;
  /** The signed grant. */
  grant: string;
  aql: Aql;
}

/** What an executor gets for a ticket: `POST /api/v1/executor/redeem`. Nothing of it is kept longer than the fetch. */
export interface Redemption {
  grant_id: string;
  requester: Identity;
  narrowing: { roles?: string[]; clearance?: string };
  purpose: string | null;
  /** Whether the approvals that the policies ask for were given, and count at this moment. */
  approved: boolean;
  active: { version: number; checksum: string; epoch: number };
  credentials: Credentials;
  /** Base64, by version. */
  token_keys: { version: number; key: string }[];
  row_cap: number;
  statement_timeout_ms: number;
}

/** One line of an executor's answer. */
export type ExecutionLine =
  | { columns: readonly OutputColumn[]; rows_max: number; truncatable: boolean }
  | { rows: readonly EncodedRow[] }
  | { done: true }
  | { failed: ExecutionFailure };

export interface ExecutionFailure {
  type: ErrorCodeName;
  error: string;
  hint?: string;
}

/** The queries an executor is running, and those of them that it has to stop: `POST /api/v1/executor/lease`. */
export interface LeaseBody {
  grants: string[];
}
export interface LeaseAnswer {
  stop: string[];
}
