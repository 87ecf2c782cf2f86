import type { AuditRecord } from './model.js';

/** The record that must be durable before the first row of an answer leaves. */
export const QUERY_STARTED = 'query.started';

/**
 * The started queries whose second record, the one that says how many rows left, never came: `outcome unknown`. A query
 * that is running at this moment is among them. Records may come in any order.
 */
export function unknownOutcomes(records: Iterable<AuditRecord>): AuditRecord[] {
  const started: AuditRecord[] = [];
  const completed = new Set<string>();
  for (const record of records) {
    if (record.event === QUERY_STARTED) started.push(record);
    if (record.of !== undefined) completed.add(record.of);
  }
  return started.filter(({ audit_id }) => !completed.has(audit_id));
}
