import type { AuditRecord } from '../audit/model.js';
import type { RequestSummary } from '../audit/summarise-request.js';
import { escapeCsvCell, escapeTerminal } from '../util/escape.js';
import { formatTime, renderFacts } from './facts.js';
import { type Column, renderTable } from './table.js';

type Cell = string | number | boolean | null;

/** What a list of records shows of each; everything else is in JSON. */
const COLUMNS: readonly {
  heading: string;
  value: (record: AuditRecord) => Cell;
  below?: true;
}[] = [
  { heading: 'seq', value: ({ seq }) => seq },
  { heading: 'timestamp', value: ({ timestamp }) => timestamp },
  { heading: 'event', value: ({ event }) => event },
  { heading: 'who', value: ({ requester }) => requester?.email ?? requester?.user_id ?? null },
  { heading: 'dataset', value: ({ request }) => request?.dataset ?? null, below: true },
  { heading: 'request', value: ({ request }) => request?.request_id ?? null, below: true },
  {
    heading: 'granted',
    value: ({ policy_evaluation }) => policy_evaluation?.access_granted ?? null,
  },
  { heading: 'rows', value: ({ execution }) => execution?.rows_returned ?? null },
];

export function auditTable(records: readonly AuditRecord[]): string {
  return renderTable(records, COLUMNS as readonly Column<AuditRecord>[]);
}

/** Records as CSV (RFC 4180), a heading first; cells that a spreadsheet would run are escaped. */
export function auditCsv(records: readonly AuditRecord[]): string {
  const lines = [
    COLUMNS.map(({ heading }) => heading),
    ...records.map((record) => COLUMNS.map(({ value }) => escapeCsvCell(value(record)))),
  ];
  return lines.map((cells) => `${cells.join(',')}\r\n`).join('');
}

/** One record as one line for people. */
export function auditLine(record: AuditRecord): string {
  const parts = COLUMNS.slice(0, 6).map(({ value }) => value(record) ?? '-');
  return escapeTerminal(parts.join('  '));
}

/** One request as one object, for people. */
export function reportSummary(summary: RequestSummary): string {
  const facts = renderFacts([
    ['requester', summary.requester],
    ['role', summary.requester_role],
    ['requested', summary.requested_at && formatTime(summary.requested_at)],
    ['approved by', summary.approved_by],
    ['approved', summary.approved_at && formatTime(summary.approved_at)],
    ['access expires', summary.access_expires && formatTime(summary.access_expires)],
    ['queries', summary.queries_executed],
    ['rows', summary.rows_accessed],
    ['auto revoked', summary.auto_revoked ? 'yes' : null],
    ...summary.metadata_keys.map((key): [string, string | null] => [
      `metadata ${escapeTerminal(key)}`,
      typeof (summary as unknown as Record<string, unknown>)[key] === 'string'
        ? String((summary as unknown as Record<string, unknown>)[key])
        : null,
    ]),
  ]);
  const timeline = renderTable(summary.timeline, [
    { heading: 'seq', value: ({ seq }) => seq },
    { heading: 'timestamp', value: ({ timestamp }) => timestamp },
    { heading: 'event', value: ({ event }) => event },
    { heading: 'who', value: ({ who }) => who },
    { heading: 'why', value: ({ why }) => why, below: true },
    { heading: 'rows', value: ({ rows }) => rows },
    { heading: 'outcome', value: ({ outcome }) => outcome && `outcome ${outcome}` },
  ]);
  return `${escapeTerminal(summary.request_id)}\n${facts}\n\n${timeline}`;
}
