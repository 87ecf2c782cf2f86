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
    list: async (filter) => recordsOf(await find(db, filter)),
    async lines(filter) {
      const rows = await find(db, filter);
      return rows.map(({ record, ...row }) => ({ ...row, line: record }));
    },
    hashes: (afterSeq, limit) =>
      db
        .selectFrom('audit_records')
        .select(['seq', 'hash'])
        .where('seq', '>', afterSeq)
        .orderBy('seq')
        .limit(rowLimit(limit))
        .execute(),
    async at(seq) {
      return (await facts(db).where('seq', '=', seq).executeTakeFirst()) ?? null;
    },
    async first() {
      return (await facts(db).orderBy('seq').limit(1).executeTakeFirst()) ?? null;
    },
    async removeUpTo(seq) {
      const last = await head(db);
      const upTo = Math.min(seq, (last?.seq ?? 0) - 1);
      await db.deleteFrom('audit_index').where('seq', '<=', upTo).execute();
      const { numDeletedRows } = await db
        .deleteFrom('audit_records')
        .where('seq', '<=', upTo)
        .executeTakeFirst();
      return Number(numDeletedRows);
    },
    head: () => head(db),
  };
}

function facts(db: Db) {
  return db.selectFrom('audit_records').select(['seq', 'hash', 'timestamp']);
}

interface Found {
  seq: number;
  hash: string;
  timestamp: string;
  record: string;
}

const FOUND = [
  'audit_records.seq',
  'audit_records.hash',
  'audit_records.timestamp',
  'audit_records.record',
] as const;

async function find(db: Db, filter: Filter): Promise<Found[]> {
  const limit = rowLimit(filter.limit);
  if (!isFiltered(filter)) return wholeLog(db, filter).limit(limit).execute();
  // Reading writes nothing: the latest records, which are not indexed yet, are looked through one by one.
  const indexed = await lastIndexed(db);
  const parts = [indexedPart(db, filter, indexed), latestPart(db, filter, indexed)];
  if (filter.order === 'desc') parts.reverse();
  const rows: Found[] = [];
  for (const part of parts) {
    const left = limit - rows.length;
    if (left > 0) rows.push(...(await part.limit(left).execute()));
  }
  return rows;
}

async function append(tx: Db, signer: AuditSigner, event: AuditEvent): Promise<AuditRecord> {
  const previous = await head(tx);
  const sealed = sealRecord(event, { previous, auditId: randomId('audit'), signer });
  await tx.executeQuery(auditInsert(tx, [[event, sealed]]));
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
  return prepared(db, 'audit.head', build, [1]);
}

/** Appends records with one statement. */
export function auditInsert(
  db: Db,
  records: readonly (readonly [AuditEvent, SealedRecord])[],
): CompiledQuery<unknown> {
  const rows = records.map(auditRow);
  const build = () => db.insertInto('audit_records').values(rows);
  const values = rows.flatMap((row) => Object.values(row));
  return prepared<unknown>(db, `audit.append ${rows.length}`, build, values);
}

function auditRow([event, { seq, hash, line }]: readonly [AuditEvent, SealedRecord]) {
  const { timestamp, requester, request } = event;
  const clean = (text: string | undefined) => (text === undefined ? null : cleanText(text));
  return {
    seq,
    hash,
    event: cleanText(event.event),
    timestamp: cleanText(timestamp),
    user_id: clean(requester?.user_id),
    dataset: clean(request?.dataset),
    request_id: clean(request?.request_id),
    record: line,
  };
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
  return prepared<unknown>(db, 'audit.index', build, []);
}

async function lastIndexed(db: Db): Promise<number> {
  const query = db.selectFrom('audit_index').select(({ fn }) => fn.max('seq').as('seq'));
  return (await query.executeTakeFirst())?.seq ?? 0;
}

type Filter = Parameters<StoreRepositories['audit']['list']>[0];

/** Whether the log is asked for anything but a stretch of it. */
function isFiltered({ userId, event, dataset, requestId, since, until }: Filter): boolean {
  return [userId, event, dataset, requestId, since, until].some((value) => value !== undefined);
}

function wholeLog(db: Db, { order, afterSeq, beforeSeq }: Filter) {
  let query = db.selectFrom('audit_records').select(FOUND).orderBy('seq', order);
  if (afterSeq !== undefined) query = query.where('seq', '>', afterSeq);
  if (beforeSeq !== undefined) query = query.where('seq', '<', beforeSeq);
  return query;
}

function indexedPart(db: Db, filter: Filter, indexed: number) {
  return db
    .selectFrom('audit_records')
    .innerJoin('audit_index as found', 'found.seq', 'audit_records.seq')
    .select(FOUND)
    .where('found.seq', '<=', indexed)
    .where((eb) =>
      eb.and(conditions(filter).map(([name, is, value]) => eb(`found.${name}`, is, value))),
    )
    .orderBy('found.seq', filter.order);
}

function latestPart(db: Db, filter: Filter, indexed: number) {
  return db
    .selectFrom('audit_records')
    .select(FOUND)
    .where('seq', '>', indexed)
    .where((eb) => eb.and(conditions(filter).map(([name, is, value]) => eb(name, is, value))))
    .orderBy('seq', filter.order);
}

type Column = 'seq' | 'event' | 'timestamp' | 'user_id' | 'dataset' | 'request_id';
type Condition = [name: Column, is: '=' | '<' | '>' | '>=', value: string | number];

function conditions(filter: Filter): Condition[] {
  const all: [Column, Condition[1], string | number | undefined][] = [
    ['user_id', '=', filter.userId],
    ['event', '=', filter.event],
    ['dataset', '=', filter.dataset],
    ['request_id', '=', filter.requestId],
    ['timestamp', '>=', filter.since],
    ['timestamp', '<', filter.until],
    ['seq', '>', filter.afterSeq],
    ['seq', '<', filter.beforeSeq],
  ];
  return all.filter((one): one is Condition => one[2] !== undefined);
}

function recordsOf(rows: readonly { record: string }[]): AuditRecord[] {
  return rows.map(({ record }) => fromJson<AuditRecord>(record));
}

export type AuditHead = Pick<AuditRecord, 'seq' | 'hash'>;
