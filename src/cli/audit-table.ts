import type { AuditRecord } from '../audit/model.js';
import { namedRequester, requesterId } from '../audit/requester-name.js';
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
  {
    // Of the record, which is not always who did it: a grant that an approval issued is the requester's.
    heading: 'requester',
    value: (record) => namedRequester(requesterId(record), record.requester?.name),
  },
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

const LINE_COLUMNS = COLUMNS.slice(0, 6);
/** So wide each column begins; the last one needs no end. */
const LINE_WIDTHS = [6, 24, 18, 24, 12, 0] as const;
/** A longer cell pushes its own line to the right, and no other. */
const LINE_WIDTH_MAX = 40;

/**
 * Lines for people of records that come one after another, aligned as far as it can be known: a column becomes as wide as what
 * has come. With the first records come the headings, also where there are none yet.
 */
export function auditLines(): (records: readonly AuditRecord[]) => string[] {
  const widths: number[] = [...LINE_WIDTHS];
  let isBegun = false;
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd();
  return (records) => {
    const rows = records.map((record) =>
      LINE_COLUMNS.map(({ value }) => escapeTerminal(String(value(record) ?? '-'))),
    );
    for (const [index, width] of widths.slice(0, -1).entries()) {
      const longest = Math.max(width, ...rows.map((cells) => cells[index]?.length ?? 0));
      widths[index] = Math.min(longest, LINE_WIDTH_MAX);
    }
    const head = isBegun ? [] : [LINE_COLUMNS.map(({ heading }) => heading)];
    isBegun = true;
    return [...head, ...rows].map(line);
  };
}

/** One request as one object, for people. */
export function reportSummary(summary: RequestSummary): string {
  const time = (text: string | null) => text && formatTime(text);
  const facts = renderFacts([
    ['requester', namedRequester(summary.requester, summary.requester_name)],
    ['role', summary.requester_role],
    ['requested', time(summary.requested_at)],
    ['reason', summary.reason],
    ['purpose', summary.purpose],
    ['datasource', summary.datasource],
    ['dataset', summary.dataset],
    ['columns', summary.columns.join(', ')],
    ['policies', summary.policies.join(', ')],
    ['approved by', summary.approved_by],
    ['approved', time(summary.approved_at)],
    ['denied by', summary.denied_by],
    ['denied', time(summary.denied_at)],
    ['denied because', summary.denied_reason],
    ['grant', summary.grant_id],
    ['access expires', time(summary.access_expires)],
    ['queries', summary.queries_executed],
    ['rows', summary.rows_accessed],
    ['auto revoked', summary.auto_revoked ? 'yes' : null],
    ...summary.metadata_keys.map(
      (key) => [`metadata ${escapeTerminal(key)}`, summary.metadata[key]] as const,
    ),
  ]);
  const timeline = renderTable(summary.timeline, [
    { heading: 'seq', value: ({ seq }) => seq },
    { heading: 'timestamp', value: ({ timestamp }) => timestamp },
    { heading: 'event', value: ({ event }) => event },
    { heading: 'who', value: ({ who, who_name }) => namedRequester(who, who_name) },
    { heading: 'why', value: ({ why }) => why, below: true },
    { heading: 'rows', value: ({ rows }) => rows },
    { heading: 'outcome', value: ({ outcome }) => outcome && `outcome ${outcome}` },
  ]);
  return `${escapeTerminal(summary.request_id)}\n${facts}\n\n${timeline}`;
}
