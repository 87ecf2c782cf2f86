import type { AuditEvent, AuditRecord } from '../../audit/model.js';
import { type AuditSigner, sealRecord } from '../../audit/seal-record.js';
import { randomId } from '../../util/random-id.js';
import type { StoreRepositories } from '../model.js';
import type { Db } from '../tables.js';
import { fromJson, rowLimit } from './columns.js';
import { runPrepared } from './prepared.js';

export function auditRepository(db: Db, signer: AuditSigner): StoreRepositories['audit'] {
  return {
    append(event) {
      // Reading the last record and writing the next must not be two transactions.
      if (db.isTransaction) return append(db, signer, event);
      return db.transaction().execute((tx) => append(tx, signer, event));
    },
    async list(filter) {
      let query = db.selectFrom('audit_records').select('record');
      if (filter.userId !== undefined) query = query.where('user_id', '=', filter.userId);
      if (filter.event !== undefined) query = query.where('event', '=', filter.event);
      if (filter.dataset !== undefined) query = query.where('dataset', '=', filter.dataset);
      if (filter.requestId !== undefined) query = query.where('request_id', '=', filter.requestId);
      if (filter.since !== undefined) query = query.where('timestamp', '>=', filter.since);
      if (filter.until !== undefined) query = query.where('timestamp', '<', filter.until);
      if (filter.afterSeq !== undefined) query = query.where('seq', '>', filter.afterSeq);
      if (filter.beforeSeq !== undefined) query = query.where('seq', '<', filter.beforeSeq);
      const rows = await query.orderBy('seq', filter.order).limit(rowLimit(filter.limit)).execute();
      return rows.map(({ record }) => fromJson<AuditRecord>(record));
    },
    head: () => head(db),
  };
}

async function append(tx: Db, signer: AuditSigner, event: AuditEvent): Promise<AuditRecord> {
  const previous = await head(tx);
  const { record, line } = sealRecord(event, { previous, auditId: randomId('audit'), signer });
  const row = {
    seq: record.seq,
    audit_id: record.audit_id,
    hash: record.hash,
    event: record.event,
    timestamp: record.timestamp,
    user_id: record.requester?.user_id ?? null,
    dataset: record.request?.dataset ?? null,
    request_id: record.request?.request_id ?? null,
    record: line,
  };
  const build = () => tx.insertInto('audit_records').values(row);
  await runPrepared(tx, 'audit.append', build, Object.values(row));
  return record;
}

async function head(db: Db): Promise<{ seq: number; hash: string } | null> {
  const build = () =>
    db.selectFrom('audit_records').select(['seq', 'hash']).orderBy('seq', 'desc').limit(1);
  // The limit is one of the values.
  const [row] = await runPrepared(db, 'audit.head', build, [1]);
  return row ?? null;
}
