import { describe, expect, it } from 'vitest';
import type { AuditEvent, AuditRecord } from '../../src/audit/model.js';
import { sealRecord } from '../../src/audit/seal-record.js';
import { summariseRequest } from '../../src/audit/summarise-request.js';
import { unknownOutcomes } from '../../src/audit/unknown-outcomes.js';
import { SIGNER } from './chain-fixture.js';

const ANN = {
  user_id: 'usr_ann',
  email: 'ann@example.com',
  role: 'engineer',
  kind: 'user',
} as const;
const BOB = { user_id: 'usr_bob', email: 'bob@example.com', role: 'lead', kind: 'user' } as const;
const SYSTEM = { user_id: 'system', kind: 'system' } as const;
const request = { request_id: 'req_1', metadata: { ticket: 'T-1', incident: 'I-9' } };
const policy_evaluation = { policies_applied: [], access_granted: true };

function log(events: readonly Omit<AuditEvent, 'timestamp'>[]): AuditRecord[] {
  const records: AuditRecord[] = [];
  for (const [index, event] of events.entries()) {
    const timestamp = `2026-03-01T10:0${index}:00.000Z`;
    const input = {
      previous: records.at(-1) ?? null,
      auditId: `audit_${index + 1}`,
      signer: SIGNER,
    };
    records.push(sealRecord({ ...event, timestamp }, input).record);
  }
  return records;
}

const RECORDS = log([
  { event: 'request.pending', requester: ANN, request },
  { event: 'request.pending', requester: BOB, request: { request_id: 'req_2' } },
  { event: 'approval.approved', requester: BOB, request },
  { event: 'request.granted', requester: ANN, request, policy_evaluation },
  {
    event: 'grant.issued',
    requester: ANN,
    request,
    metadata: { ttl_expires: '2026-03-01T11:00:00.000Z' },
  },
  { event: 'query.started', requester: ANN, request },
  {
    event: 'query.executed',
    of: 'audit_6',
    requester: ANN,
    request,
    execution: { execution_time_ms: 3, rows_returned: 40 },
  },
  { event: 'query.started', requester: ANN, request },
  { event: 'grant.revoked', requester: SYSTEM, request },
]);

describe('the view of one request', () => {
  it('says who asked, who approved, what was read and how it ended', () => {
    expect(summariseRequest('req_1', [...RECORDS].reverse())).toMatchObject({
      request_id: 'req_1',
      requester: 'ann@example.com',
      requester_role: 'engineer',
      requested_at: '2026-03-01T10:00:00.000Z',
      approved_by: 'bob@example.com',
      approved_at: '2026-03-01T10:02:00.000Z',
      access_expires: '2026-03-01T11:00:00.000Z',
      queries_executed: 1,
      rows_accessed: 40,
      auto_revoked: true,
      metadata_keys: ['incident', 'ticket'],
    });
  });

  it('tells the story in order and marks a query whose end is not recorded', () => {
    const timeline = summariseRequest('req_1', RECORDS)?.timeline ?? [];
    expect(timeline.map(({ seq, outcome }) => [seq, outcome ?? 'known'])).toEqual([
      [1, 'known'],
      [3, 'known'],
      [4, 'known'],
      [5, 'known'],
      [6, 'known'],
      [7, 'known'],
      [8, 'unknown'],
      [9, 'known'],
    ]);
    expect(unknownOutcomes(RECORDS).map(({ audit_id }) => audit_id)).toEqual(['audit_8']);
  });

  it('says of what an approval did that the approver did it, and why', () => {
    const call = { correlation_id: 'call_1' };
    const records = log([
      { event: 'request.pending', requester: ANN, request: { ...request, purpose: 'incident' } },
      { event: 'approval.approved', requester: BOB, request, ...call, metadata: { notes: 'go' } },
      { event: 'request.granted', requester: ANN, request, ...call },
      { event: 'grant.issued', requester: ANN, request, ...call },
      { event: 'query.refused', requester: ANN, request, correlation_id: 'call_2' },
    ]);
    const timeline = summariseRequest('req_1', records)?.timeline ?? [];
    expect(timeline.map(({ event, who, why }) => [event, who, why])).toEqual([
      ['request.pending', 'ann@example.com', 'incident'],
      ['approval.approved', 'bob@example.com', 'go'],
      ['request.granted', 'bob@example.com', null],
      ['grant.issued', 'bob@example.com', null],
      ['query.refused', 'ann@example.com', null],
    ]);
  });

  it('has the metadata of the request under their own names, which cannot be taken for anything else', () => {
    const metadata = { ticket: 'T-1', approved_by: 'eve@example.com', timeline: 'none' };
    const [record] = log([
      { event: 'request.pending', requester: ANN, request: { ...request, metadata } },
    ]);
    const summary = summariseRequest('req_1', record ? [record] : []);
    expect(summary).toMatchObject({ ticket: 'T-1', approved_by: null });
    expect(summary?.metadata_keys).toEqual(['approved_by', 'ticket', 'timeline']);
    expect(summary?.timeline).toHaveLength(1);
  });

  it('leaves null what has not happened', () => {
    const [first] = RECORDS;
    const summary = summariseRequest('req_1', first ? [first] : []);
    expect(summary).toMatchObject({ approved_by: null, approved_at: null, access_expires: null });
    expect(summariseRequest('req_3', RECORDS)).toBeNull();
  });
});
