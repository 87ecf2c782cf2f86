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
  /** The request's metadata, each under its own name beside these, unless the name is one of these. */
  metadata_keys: string[];
  timeline: TimelineEntry[];
}

export interface TimelineEntry {
  seq: number;
  audit_id: string;
  timestamp: string;
  event: string;
  /** Whoever did it: the approver where an approval did, else the requester, or the server itself. */
  who: string | null;
  /** In the words of whoever did it, or of the policy; null where nobody said. */
  why: string | null;
  rows?: number;
  /** The query was started and no record says how it ended. */
  outcome?: 'unknown';
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
  const approvals = own.filter(({ event }) => event === 'approval.approved');
  const approvers = approvals.flatMap((record) => nameOf(record) ?? []);
  return {
    ...requestMetadata(own),
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
    metadata_keys: Object.keys(requestMetadata(own)).sort(),
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

function requestMetadata(records: readonly AuditRecord[]): Record<string, string> {
  return Object.fromEntries(
    records.flatMap(({ request }) => Object.entries(request?.metadata ?? {})),
  );
}

function timeline(records: readonly AuditRecord[]): TimelineEntry[] {
  const approvers = approversByCall(records);
  const unknown = new Set(unknownOutcomes(records).map(({ audit_id }) => audit_id));
  return records.map((record) => ({
    seq: record.seq,
    audit_id: record.audit_id,
    timestamp: record.timestamp,
    event: record.event,
    who: whoDid(record, approvers),
    why: whyOf(record),
    ...(record.execution === undefined ? {} : { rows: record.execution.rows_returned }),
    ...(unknown.has(record.audit_id) ? { outcome: 'unknown' as const } : {}),
  }));
}

/** What follows from an approval, in the same call, though the record is about the requester. */
const DONE_BY_APPROVAL: readonly string[] = ['request.granted', 'request.denied', 'grant.issued'];

function approversByCall(records: readonly AuditRecord[]): Map<string, string | null> {
  return new Map(
    records.flatMap((record) =>
      record.event.startsWith('approval.') && record.correlation_id !== undefined
        ? [[record.correlation_id, nameOf(record)] as const]
        : [],
    ),
  );
}

function whoDid(record: AuditRecord, approvers: ReadonlyMap<string, string | null>): string | null {
  const { event, correlation_id } = record;
  if (!DONE_BY_APPROVAL.includes(event) || correlation_id === undefined) return nameOf(record);
  return approvers.get(correlation_id) ?? nameOf(record);
}

function whyOf({ metadata, policy_evaluation, request, event }: AuditRecord): string | null {
  const said = metadata?.notes ?? metadata?.reason ?? policy_evaluation?.reason;
  if (typeof said === 'string') return said;
  return event.startsWith('request.') ? (request?.purpose ?? null) : null;
}
