import type { AuditRecord } from './model.js';
import { requesterId } from './requester-name.js';
import { unknownOutcomes } from './unknown-outcomes.js';

export interface TimelineEntry {
  seq: number;
  audit_id: string;
  timestamp: string;
  event: string;
  /** Whoever did it: the approver where an approval did, else the requester, or the server itself. */
  who: string | null;
  /** Of an agent, whose id `who` is. */
  who_name?: string;
  /** In the words of whoever did it, or of the policy; null where nobody said. */
  why: string | null;
  rows?: number;
  /** The query was started and no record says how it ended. */
  outcome?: 'unknown';
}

/** What happened to one request, from its records in their order. */
export function requestTimeline(records: readonly AuditRecord[]): TimelineEntry[] {
  const voices = voicesByCall(records);
  const unknown = new Set(unknownOutcomes(records).map(({ audit_id }) => audit_id));
  return records.map((record) => {
    const voice = voiceBehind(record, voices);
    const did = voice ?? record;
    const name = did.requester?.name;
    return {
      seq: record.seq,
      audit_id: record.audit_id,
      timestamp: record.timestamp,
      event: record.event,
      who: requesterId(did),
      ...(name === undefined ? {} : { who_name: name }),
      why: record.event === 'request.denied' ? denialReason(record, voice) : whyOf(record),
      ...(record.execution === undefined ? {} : { rows: record.execution.rows_returned }),
      ...(unknown.has(record.audit_id) ? { outcome: 'unknown' as const } : {}),
    };
  });
}

export interface Denial {
  /** Whoever denied; `policy` where no person did. */
  denied_by: string | null;
  denied_at: string | null;
  /** In the words of that person or of the policy; the type of the denial where there are none. */
  denied_reason: string | null;
}

/** How a request was denied, from its records in their order; null where it was not. */
export function requestDenial(records: readonly AuditRecord[]): Denial {
  const denied = records.filter(({ event }) => event === 'request.denied').at(-1);
  if (denied === undefined) return { denied_by: null, denied_at: null, denied_reason: null };
  const voice = voiceBehind(denied, voicesByCall(records));
  return {
    denied_by: voice ? requesterId(voice) : 'policy',
    denied_at: denied.timestamp,
    denied_reason: denialReason(denied, voice),
  };
}

/** What follows from what an approver said, in the same call. */
const DONE_BY_VOICE: readonly string[] = ['request.granted', 'request.denied', 'grant.issued'];

type Voices = ReadonlyMap<string, AuditRecord>;

function voicesByCall(records: readonly AuditRecord[]): Voices {
  return new Map(
    records.flatMap((record) =>
      record.event.startsWith('approval.') && record.correlation_id !== undefined
        ? [[record.correlation_id, record] as const]
        : [],
    ),
  );
}

function voiceBehind({ event, correlation_id }: AuditRecord, voices: Voices): AuditRecord | null {
  if (!DONE_BY_VOICE.includes(event) || correlation_id === undefined) return null;
  return voices.get(correlation_id) ?? null;
}

function denialReason(
  { policy_evaluation }: AuditRecord,
  voice: AuditRecord | null,
): string | null {
  const notes = voice?.metadata?.notes;
  if (typeof notes === 'string') return notes;
  return policy_evaluation?.reason ?? policy_evaluation?.type ?? null;
}

function whyOf({ metadata, policy_evaluation, request, event }: AuditRecord): string | null {
  const said =
    metadata?.request_reason ?? metadata?.notes ?? metadata?.reason ?? policy_evaluation?.reason;
  if (typeof said === 'string') return said;
  return event.startsWith('request.') ? (request?.purpose ?? null) : null;
}
