import { escapeCsvCell } from '../util/escape.js';
import type { AuditRecord } from './model.js';

type Cell = string | number | boolean | null | undefined;

/** What a row of an exported log shows of its record. JSON Lines have all of it, and alone can be verified. */
const COLUMNS: Readonly<Record<string, (record: AuditRecord) => Cell>> = {
  seq: ({ seq }) => seq,
  timestamp: ({ timestamp }) => timestamp,
  event: ({ event }) => event,
  audit_id: ({ audit_id }) => audit_id,
  of: ({ of }) => of,
  correlation_id: ({ correlation_id }) => correlation_id,
  user_id: ({ requester }) => requester?.user_id,
  email: ({ requester }) => requester?.email,
  name: ({ requester }) => requester?.name,
  role: ({ requester }) => requester?.role,
  kind: ({ requester }) => requester?.kind,
  request_id: ({ request }) => request?.request_id,
  datasource: ({ request }) => request?.datasource_id,
  dataset: ({ request }) => request?.dataset,
  columns: ({ request }) => request?.columns_requested?.join(' '),
  purpose: ({ request }) => request?.purpose,
  request_reason: ({ metadata }) => textOf(metadata?.request_reason),
  metadata: ({ request }) => request?.metadata && JSON.stringify(request.metadata),
  access_granted: ({ policy_evaluation }) => policy_evaluation?.access_granted,
  policies: ({ policy_evaluation }) =>
    policy_evaluation?.policies_applied.map(({ policy_id }) => policy_id).join(' '),
  bundle_checksum: ({ policy_evaluation }) => policy_evaluation?.bundle_checksum,
  reason: ({ policy_evaluation, metadata }) =>
    policy_evaluation?.reason ?? textOf(metadata?.notes) ?? textOf(metadata?.reason),
  rows: ({ execution }) => execution?.rows_returned,
  execution_time_ms: ({ execution }) => execution?.execution_time_ms,
  error: ({ execution }) => execution?.error,
  grant_id: ({ metadata }) => textOf(metadata?.grant_id),
  address: ({ metadata }) => textOf(metadata?.address),
  client: ({ metadata }) => textOf(metadata?.client),
  prev_hash: ({ prev_hash }) => prev_hash,
  hash: ({ hash }) => hash,
};

function textOf(value: string | number | boolean | null | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The names of the columns, as the first line of a CSV file (RFC 4180). */
export const CSV_HEADING = `${Object.keys(COLUMNS).join(',')}\r\n`;

/** A record as a line of CSV; a cell that a spreadsheet would run as a formula is escaped. */
export function csvRecord(record: AuditRecord): string {
  const cells = Object.values(COLUMNS).map((value) => escapeCsvCell(value(record) ?? null));
  return `${cells.join(',')}\r\n`;
}
