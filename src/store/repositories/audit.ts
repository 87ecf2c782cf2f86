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
      await fillIndex(db);
      let query = db
        .selectFrom('audit_records')
        .innerJoin('audit_index', 'audit_index.seq', 'audit_records.seq')
        .select('record');
      const { userId, event, dataset, requestId, since, until, afterSeq, beforeSeq } = filter;
      if (userId !== undefined) query = query.where('audit_index.user_id', '=', userId);
      if (event !== undefined) query = query.where('audit_index.event', '=', event);
      if (dataset !== undefined) query = query.where('audit_index.dataset', '=', dataset);
      if (requestId !== undefined) query = query.where('audit_index.request_id', '=', requestId);
      if (since !== undefined) query = query.where('audit_index.timestamp', '>=', since);
      if (until !== undefined) query = query.where('audit_index.timestamp', '<', until);
      if (afterSeq !== undefined) query = query.where('audit_index.seq', '>', afterSeq);
      if (beforeSeq !== undefined) query = query.where('audit_index.seq', '<', beforeSeq);
      const rows = await query
        .orderBy('audit_index.seq', filter.order)
        .limit(rowLimit(filter.limit))
        .execute();
      return rows.map(({ record }) => fromJson<AuditRecord>(record));
    },
    head: () => head(db),
  };
}

async function append(tx: Db, signer: AuditSigner, event: AuditEvent): Promise<AuditRecord> {
  const previous = await head(tx);
  const sealed = sealRecord(event, { previous, auditId: randomId('audit'), signer });
  await tx.executeQuery(auditInsert(tx, event, sealed));
  if (isIndexDue(sealed.seq)) await tx.executeQuery(auditIndexing(tx));
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
  { seq, hash, line }: SealedRecord,
): CompiledQuery<unknown> {
  const clean = (text: string | undefined) => (text === undefined ? null : cleanText(text));
  const row = {
    seq,
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

/** Records that may wait to be indexed: together they change far fewer pages than each by itself. */
const INDEXED_TOGETHER = 256;

/** Whether the records up to this one are to be indexed in its transaction. */
export function isIndexDue(seq: number): boolean {
  return seq % INDEXED_TOGETHER === 0;
}

/** Indexes the records that are not yet. */
export function auditIndexing(db: Db): CompiledQuery<unknown> {
  const columns = ['seq', 'event', 'timestamp', 'user_id', 'dataset', 'request_id'] as const;
  const build = () =>
    db
      .insertInto('audit_index')
      .columns(columns)
      .expression((eb) =>
        eb
          .selectFrom('audit_records')
          .select(columns)
          .where('seq', '>', (of) =>
            of
              .selectFrom('audit_index')
              .select(({ fn, lit }) => fn.coalesce(fn.max('seq'), lit(0)).as('seq')),
          ),
      );
  return prepared<unknown>('audit.index', build, []);
}

async function fillIndex(db: Db): Promise<void> {
  const { rows } = await db.executeQuery(
    db
      .selectFrom('audit_index')
      .select(({ fn }) => fn.max('seq').as('seq'))
      .compile(),
  );
  const last = await head(db);
  if (last !== null && last.seq !== rows[0]?.seq) await db.executeQuery(auditIndexing(db));
}

export type AuditHead = Pick<AuditRecord, 'seq' | 'hash'>;
