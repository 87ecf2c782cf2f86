import type { AuditRecord } from './model.js';
import { unknownOutcomes } from './unknown-outcomes.js';

/** One request as one object. Times are RFC 3339; null is what has not happened. */
export interface RequestSummary {
  request_id: string;
  /** The e-mail address, or the id of a requester without one (an agent). */
  requester: string | null;
  requester_role: string | null;
  requested_at: string | null;
  /** Whoever approved, in the order they did, separated by commas where several had to. */
  approved_by: string | null;
  /** Of the last approval. */
  approved_at: string | null;
  access_expires: string | null;
  queries_executed: number;
  rows_accessed: number;
  /** The grant was revoked by the system: its expiry was written as a revocation. */
  auto_revoked: boolean;
  metadata_keys: string[];
  timeline: TimelineEntry[];
}

export interface TimelineEntry {
  seq: number;
  audit_id: string;
  timestamp: string;
  event: string;
  by: string | null;
  rows?: number;
  /** The query was started and no record says how it ended. */
  outcome?: 'unknown';
}

/** The view of one request over its audit records, in any order; null where none is about it. */
export function summariseRequest(
  requestId: string,
  records: readonly AuditRecord[],
): RequestSummary | null {
  const own = records
    .filter(({ request }) => request?.request_id === requestId)
    .sort((a, b) => a.seq - b.seq);
  const first = own[0];
  if (first === undefined) return null;
  const approvals = own.filter(({ event }) => event === 'approval.approved');
  const approvers = approvals.flatMap((record) => nameOf(record) ?? []);
  return {
    request_id: requestId,
    requester: nameOf(first),
    requester_role: first.requester?.role ?? null,
    requested_at: first.timestamp,
    approved_by: approvers.length === 0 ? null : [...new Set(approvers)].join(', '),
    approved_at: approvals.at(-1)?.timestamp ?? null,
    access_expires: accessExpires(own),
    queries_executed: own.filter(({ event }) => event === 'query.executed').length,
    rows_accessed: own.reduce((sum, { execution }) => sum + (execution?.rows_returned ?? 0), 0),
    auto_revoked: own.some(isAutomaticRevocation),
    metadata_keys: metadataKeys(own),
    timeline: timeline(own),
  };
}

function nameOf({ requester }: AuditRecord): string | null {
  return requester?.email ?? requester?.user_id ?? null;
}

function accessExpires(records: readonly AuditRecord[]): string | null {
  const issued = records.filter(({ event }) => event === 'grant.issued').at(-1);
  const expires = issued?.metadata?.ttl_expires;
  return typeof expires === 'string' ? expires : null;
}

function isAutomaticRevocation({ event, requester }: AuditRecord): boolean {
  return event === 'grant.revoked' && requester?.kind === 'system';
}

function metadataKeys(records: readonly AuditRecord[]): string[] {
  const keys = records.flatMap(({ request }) => Object.keys(request?.metadata ?? {}));
  return [...new Set(keys)].sort();
}

function timeline(records: readonly AuditRecord[]): TimelineEntry[] {
  const unknown = new Set(unknownOutcomes(records).map(({ audit_id }) => audit_id));
  return records.map((record) => ({
    seq: record.seq,
    audit_id: record.audit_id,
    timestamp: record.timestamp,
    event: record.event,
    by: nameOf(record),
    ...(record.execution === undefined ? {} : { rows: record.execution.rows_returned }),
    ...(unknown.has(record.audit_id) ? { outcome: 'unknown' as const } : {}),
  }));
}
