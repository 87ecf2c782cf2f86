import type { CompiledQuery } from 'kysely';
import type { AuditEvent, AuditRecord } from '../../audit/model.js';
import {
  type AuditSigner,
  cleanText,
  type SealedRecord,
  sealRecord,
} from '../../audit/seal-record.js';
import { randomId } from '../../util/random-id.js';
import type { StoreRepositories } from '../model.js';
import type { Db } from '../tables.js';
import { fromJson, rowLimit } from './columns.js';
import { prepared } from './prepared.js';

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
  const sealed = sealRecord(event, { previous, auditId: randomId('audit'), signer });
  await tx.executeQuery(auditInsert(tx, event, sealed));
  return sealed.record;
}

async function head(db: Db): Promise<AuditHead | null> {
  const { rows } = await db.executeQuery(auditHead(db));
  return rows[0] ?? null;
}

/** Numbers and hashes of the log's last record, or of none. */
export function auditHead(db: Db): CompiledQuery<AuditHead> {
  const build = () =>
    db.selectFrom('audit_records').select(['seq', 'hash']).orderBy('seq', 'desc').limit(1);
  // The limit is one of the values.
  return prepared('audit.head', build, [1]);
}

export function auditInsert(
  db: Db,
  { event, timestamp, requester, request }: AuditEvent,
  { seq, audit_id, hash, line }: SealedRecord,
): CompiledQuery<unknown> {
  const clean = (text: string | undefined) => (text === undefined ? null : cleanText(text));
  const row = {
    seq,
    audit_id,
    hash,
    event: cleanText(event),
    timestamp: cleanText(timestamp),
    user_id: clean(requester?.user_id),
    dataset: clean(request?.dataset),
    request_id: clean(request?.request_id),
    record: line,
  };
  const build = () => db.insertInto('audit_records').values(row);
  return prepared<unknown>('audit.append', build, Object.values(row));
}

export type AuditHead = Pick<AuditRecord, 'seq' | 'hash'>;
