import type { AuditRecord } from './model.js';
import {
  type Denial,
  requestDenial,
  requestTimeline,
  type TimelineEntry,
} from './request-timeline.js';
import { requesterId } from './requester-name.js';

/** One request as one object. Times are RFC 3339; null is what has not happened, or what nobody said. */
export interface RequestSummary extends Denial {
  request_id: string;
  /** The e-mail address, or the id of a requester without one (an agent). */
  requester: string | null;
  /** Of an agent. */
  requester_name: string | null;
  requester_role: string | null;
  requested_at: string | null;
  /** Why, as the requester said. */
  reason: string | null;
  purpose: string | null;
  datasource: string | null;
  dataset: string | null;
  /** As the query names them; aggregates as `func(field)`. */
  columns: readonly string[];
  /** The ids of the policies that the last decision went by. */
  policies: readonly string[];
  /** Whoever approved, in the order they did, separated by commas where several had to. */
  approved_by: string | null;
  /** Of the last approval. */
  approved_at: string | null;
  grant_id: string | null;
  access_expires: string | null;
  queries_executed: number;
  rows_accessed: number;
  /** The grant was revoked by the system: its expiry was written as a revocation. */
  auto_revoked: boolean;
  /** The request's metadata as it was sent. Each stands beside these too, unless its name is one of these. */
  metadata: Readonly<Record<string, string>>;
  metadata_keys: string[];
  timeline: TimelineEntry[];
}

/** The view of one request over its audit records, in any order; null where none is about it. */
export function summariseRequest(
  requestId: string,
  records: readonly AuditRecord[],
): (RequestSummary & Readonly<Record<string, unknown>>) | null {
  const own = records
    .filter(({ request }) => request?.request_id === requestId)
    .sort((a, b) => a.seq - b.seq);
  const first = own[0];
  if (first === undefined) return null;
  const metadata = requestMetadata(own);
  return {
    ...metadata,
    request_id: requestId,
    requester: requesterId(first),
    requester_name: first.requester?.name ?? null,
    requester_role: first.requester?.role ?? null,
    requested_at: first.timestamp,
    reason: textOf(first.metadata?.request_reason),
    purpose: first.request?.purpose ?? null,
    // A request for what is not known names no datasource.
    datasource: first.request?.datasource_id || null,
    dataset: first.request?.dataset ?? null,
    columns: first.request?.columns_requested ?? [],
    policies: policiesOf(own),
    ...approvalOf(own),
    ...requestDenial(own),
    ...grantOf(own),
    queries_executed: own.filter(({ event }) => event === 'query.executed').length,
    rows_accessed: own.reduce((sum, { execution }) => sum + (execution?.rows_returned ?? 0), 0),
    auto_revoked: own.some(isAutomaticRevocation),
    metadata,
    metadata_keys: Object.keys(metadata).sort(),
    timeline: requestTimeline(own),
  };
}

function policiesOf(records: readonly AuditRecord[]): string[] {
  const decided = records
    .filter(({ event, policy_evaluation }) => event.startsWith('request.') && policy_evaluation)
    .at(-1);
  const ids = decided?.policy_evaluation?.policies_applied.map(({ policy_id }) => policy_id) ?? [];
  return [...new Set(ids)];
}

function approvalOf(
  records: readonly AuditRecord[],
): Pick<RequestSummary, 'approved_by' | 'approved_at'> {
  const approvals = records.filter(({ event }) => event === 'approval.approved');
  const approvers = approvals.flatMap((record) => requesterId(record) ?? []);
  return {
    approved_by: approvers.length === 0 ? null : [...new Set(approvers)].join(', '),
    approved_at: approvals.at(-1)?.timestamp ?? null,
  };
}

function grantOf(
  records: readonly AuditRecord[],
): Pick<RequestSummary, 'grant_id' | 'access_expires'> {
  const issued = records.filter(({ event }) => event === 'grant.issued').at(-1);
  return {
    grant_id: textOf(issued?.metadata?.grant_id),
    access_expires: textOf(issued?.metadata?.ttl_expires),
  };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function isAutomaticRevocation({ event, requester }: AuditRecord): boolean {
  return event === 'grant.revoked' && requester?.kind === 'system';
}

function requestMetadata(records: readonly AuditRecord[]): Record<string, string> {
  return Object.fromEntries(
    records.flatMap(({ request }) => Object.entries(request?.metadata ?? {})),
  );
}
