import { CSV_HEADING, csvRecord } from '../../audit/csv-record.js';
import type { AuditRecord } from '../../audit/model.js';
import { canonicalText } from '../../audit/record-hash.js';
import type { AuditFilter } from '../../store/model.js';
import type { ControlContext } from './context.js';
import { type Identity, requireAdministrator } from './identity.js';
import { checkpointItem } from './list-checkpoints.js';
import { personFilter } from './read-audit.js';

export interface ExportQuery
  extends Omit<AuditFilter, 'order' | 'limit' | 'afterSeq' | 'beforeSeq'> {
  format: 'jsonl' | 'csv';
  /** How many records at most; all if absent. */
  count?: number;
}

/** Records that are held at once. */
const PAGE = 500;

/**
 * The log, oldest first, up to its last record at this moment, in pieces of a page each. JSON Lines are the records in their
 * canonical form, as `vkit audit verify` takes them; those of a log whose beginning was removed start with the checkpoint that
 * the rest goes on from. `mayGoOn` is asked before each page and throws where the reader has lost the right meanwhile.
 */
export async function exportAudit(
  ctx: ControlContext,
  identity: Identity,
  query: ExportQuery,
  mayGoOn: () => Promise<Identity>,
): Promise<AsyncGenerator<string, void, undefined>> {
  requireAdministrator(identity, 'auditor');
  const { format, count = Number.POSITIVE_INFINITY, ...filter } = query;
  const head = await ctx.store.audit.head();
  const wanted = await personFilter(ctx, filter);
  const beforeSeq = (head?.seq ?? 0) + 1;
  const anchor =
    format === 'jsonl' && Object.keys(filter).length === 0 ? await anchorLine(ctx) : '';
  return pages();

  async function* pages(): AsyncGenerator<string, void, undefined> {
    const beginning = format === 'csv' ? CSV_HEADING : anchor;
    if (beginning !== '') yield beginning;
    let afterSeq = 0;
    for (let left = count; left > 0; ) {
      const limit = Math.min(PAGE, left);
      const lines = await ctx.store.audit.lines({
        ...wanted,
        order: 'asc',
        afterSeq,
        beforeSeq,
        limit,
      });
      const last = lines.at(-1);
      if (last === undefined) return;
      yield lines.map(({ line }) => (format === 'csv' ? csvOf(line) : `${line}\n`)).join('');
      if (lines.length < limit) return;
      left -= lines.length;
      afterSeq = last.seq;
      requireAdministrator(await mayGoOn(), 'auditor');
    }
  }
}

function csvOf(line: string): string {
  return csvRecord(JSON.parse(line) as AuditRecord);
}

/** The checkpoint that a log goes on from whose first records were removed, as a line before the others. */
async function anchorLine({ store }: ControlContext): Promise<string> {
  const first = await store.audit.first();
  if (first === null || first.seq === 1) return '';
  const checkpoint = await store.auditCheckpoints.bySeq(first.seq - 1);
  return checkpoint ? `${canonicalText({ checkpoint: checkpointItem(checkpoint) })}\n` : '';
}
