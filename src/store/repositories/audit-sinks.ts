import { sql } from 'kysely';
import type { StoreRepositories } from '../model.js';
import type { Db } from '../tables.js';

/** More than a server's file may name. */
const SINKS_MAX = 1_000;

export function auditSinksRepository(db: Db): StoreRepositories['auditSinks'] {
  return {
    begin({ name, type }) {
      if (db.isTransaction) return begin(db, name, type);
      return db.transaction().execute((tx) => begin(tx, name, type));
    },
    list: () => db.selectFrom('audit_sinks').selectAll().orderBy('name').limit(SINKS_MAX).execute(),
    async advance(from, { seq, checkpoint_seq, at }) {
      const { numUpdatedRows } = await db
        .updateTable('audit_sinks')
        .set({
          seq,
          checkpoint_seq,
          delivered_at: at,
          failures: 0,
          failed_at: null,
          last_error: null,
        })
        .where('name', '=', from.name)
        .where('seq', '=', from.seq)
        .where('checkpoint_seq', '=', from.checkpoint_seq)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    async failed(name, { message, at }) {
      await db
        .updateTable('audit_sinks')
        .set({ failures: sql<number>`failures + 1`, failed_at: at, last_error: message })
        .where('name', '=', name)
        .execute();
    },
    settled(name, record) {
      if (db.isTransaction) return settled(db, name, record);
      return db.transaction().execute((tx) => settled(tx, name, record));
    },
  };
}

async function begin(tx: Db, name: string, type: string) {
  const row = await tx
    .selectFrom('audit_sinks')
    .selectAll()
    .where('name', '=', name)
    .executeTakeFirst();
  if (row) {
    if (row.type !== type) {
      await tx.updateTable('audit_sinks').set({ type }).where('name', '=', name).execute();
    }
    return { ...row, type };
  }
  const first = await tx
    .selectFrom('audit_records')
    .select('seq')
    .orderBy('seq')
    .limit(1)
    .executeTakeFirst();
  // What was taken out of the log before this sink was there cannot be sent to it any more.
  const seq = (first?.seq ?? 1) - 1;
  const fresh = {
    name,
    type,
    seq,
    checkpoint_seq: Math.max(0, seq - 1),
    delivered_at: null,
    failures: 0,
    failed_at: null,
    last_error: null,
  };
  await tx.insertInto('audit_sinks').values(fresh).execute();
  return fresh;
}

async function settled(
  tx: Db,
  name: string,
  { seq, hash }: Parameters<StoreRepositories['auditSinks']['settled']>[1],
): Promise<boolean> {
  // A transaction that writes is what the disk is waited for; it brings everything before it there too.
  await tx
    .updateTable('audit_sinks')
    .set(({ ref }) => ({ seq: ref('seq') }))
    .where('name', '=', name)
    .execute();
  const row = await tx
    .selectFrom('audit_records')
    .select('hash')
    .where('seq', '=', seq)
    .executeTakeFirst();
  return row?.hash === hash;
}
