import { describe, expect, it } from 'vitest';
import type { AuditEvent, AuditRecord } from '../../src/audit/model.js';
import { sealRecord } from '../../src/audit/seal-record.js';
import { summariseRequest } from '../../src/audit/summarise-request.js';
import { unknownOutcomes } from '../../src/audit/unknown-outcomes.js';
import { auditLines, auditTable, reportSummary } from '../../src/cli/audit-table.js';
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
    expect(summary?.metadata).toEqual(metadata);
  });

  it('says why it was asked for, of what, and by which policies and grant', () => {
    const asked = {
      ...request,
      datasource_id: 'shop',
      dataset: 'ledger',
      columns_requested: ['id', 'sum(amount)'],
      purpose: 'incident',
    };
    const applied = { policy_id: 'finance_first', action: 'require_approval', fields_affected: [] };
    const policy_evaluation = {
      policies_applied: [applied, applied],
      access_granted: false,
      reason: 'Finance looks first.',
    };
    const metadata = { request_reason: 'break-glass: INC-4711' };
    const records = log([
      { event: 'request.pending', requester: ANN, request: asked, policy_evaluation, metadata },
      { event: 'grant.issued', requester: ANN, request: asked, metadata: { grant_id: 'gr_1' } },
    ]);
    const summary = summariseRequest('req_1', records);
    expect(summary).toMatchObject({
      reason: 'break-glass: INC-4711',
      purpose: 'incident',
      datasource: 'shop',
      dataset: 'ledger',
      columns: ['id', 'sum(amount)'],
      policies: ['finance_first'],
      grant_id: 'gr_1',
      denied_by: null,
      timeline: [{ why: 'break-glass: INC-4711' }, { why: null }],
    });
  });

  it('says who denied it, when and why, the policy where no person did', () => {
    const call = { correlation_id: 'call_1' };
    const no = { policies_applied: [], access_granted: false };
    const byPerson = log([
      { event: 'request.pending', requester: ANN, request: { ...request, purpose: 'incident' } },
      { event: 'approval.denied', requester: BOB, request, ...call, metadata: { notes: 'no' } },
      {
        event: 'request.denied',
        requester: BOB,
        request,
        ...call,
        policy_evaluation: { ...no, type: 'approval_denied' },
      },
    ]);
    const denied = { denied_by: 'bob@example.com', denied_reason: 'no', approved_by: null };
    const summary = summariseRequest('req_1', byPerson);
    expect(summary).toMatchObject({ ...denied, denied_at: '2026-03-01T10:02:00.000Z' });
    expect(summary?.timeline.at(-1)).toMatchObject({ who: 'bob@example.com', why: 'no' });
    const metadata = { request_reason: 'curious' };
    const byPolicy = log([
      {
        event: 'request.denied',
        requester: ANN,
        request,
        metadata,
        policy_evaluation: { ...no, reason: 'Secrets stay secret.', type: 'policy_denied' },
      },
    ]);
    expect(summariseRequest('req_1', byPolicy)).toMatchObject({
      denied_by: 'policy',
      denied_reason: 'Secrets stay secret.',
      reason: 'curious',
      timeline: [{ who: 'ann@example.com', why: 'Secrets stay secret.' }],
    });
  });

  it('names an agent beside its id, and never instead', () => {
    const agent = { user_id: 'agt_1', name: 'bob@example.com', kind: 'agent' } as const;
    const records = log([{ event: 'request.granted', requester: agent, request }]);
    const summary = summariseRequest('req_1', records);
    expect(summary).toMatchObject({ requester: 'agt_1', requester_name: 'bob@example.com' });
    expect(summary?.timeline).toMatchObject([{ who: 'agt_1', who_name: 'bob@example.com' }]);
    expect(auditTable(records)).toContain('bob@example.com (agt_1)');
    expect(summary && reportSummary(summary)).not.toMatch(/bob@example.com(?! \(agt_1\))/);
  });

  it('leaves null what has not happened', () => {
    const [first] = RECORDS;
    const summary = summariseRequest('req_1', first ? [first] : []);
    expect(summary).toMatchObject({ approved_by: null, approved_at: null, access_expires: null });
    expect(summariseRequest('req_3', RECORDS)).toBeNull();
  });
});

describe('lines of records that come one after another', () => {
  it('have their headings once, and columns that stay where they are', () => {
    const lines = auditLines();
    const [head = '', ...none] = lines([]);
    expect([head, none]).toEqual([expect.stringMatching(/^seq +timestamp +event +requester/), []]);
    const printed = [...lines(RECORDS.slice(0, 4)), ...lines(RECORDS.slice(4))];
    expect(printed).toHaveLength(RECORDS.length);
    for (const [index, line] of printed.entries()) {
      expect(line.indexOf('2026-03-01')).toBe(head.indexOf('timestamp'));
      const { request_id = '?' } = RECORDS[index]?.request ?? {};
      expect(line.lastIndexOf(request_id)).toBe(head.indexOf('request', head.indexOf('dataset')));
    }
  });

  it('hold a long cell without pushing the others to the right, and obey no control', () => {
    const [record] = log([
      { event: `a${'x'.repeat(90)}\u001b[2J`, requester: ANN, request: { request_id: 'req_1' } },
    ]);
    const lines = auditLines();
    const [, long = ''] = lines(record ? [record] : []);
    expect(long).toContain(`${'x'.repeat(90)}\\u001b[2J  ann@example.com`);
    const [next = ''] = lines(RECORDS.slice(0, 1));
    expect(next.length).toBeLessThan(150);
  });
});
