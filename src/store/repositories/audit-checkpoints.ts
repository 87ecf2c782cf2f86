import type { StoreRepositories } from '../model.js';
import type { Db } from '../tables.js';
import { rowLimit } from './columns.js';

export function auditCheckpointsRepository(db: Db): StoreRepositories['auditCheckpoints'] {
  const all = () => db.selectFrom('audit_checkpoints').selectAll();
  return {
    async insert(row) {
      await db.insertInto('audit_checkpoints').values(row).execute();
    },
    list({ order, limit, afterSeq, beforeSeq }) {
      let query = all().orderBy('seq', order).limit(rowLimit(limit));
      if (afterSeq !== undefined) query = query.where('seq', '>', afterSeq);
      if (beforeSeq !== undefined) query = query.where('seq', '<', beforeSeq);
      return query.execute();
    },
    async bySeq(seq) {
      return (await all().where('seq', '=', seq).executeTakeFirst()) ?? null;
    },
    async last() {
      return (await all().orderBy('seq', 'desc').limit(1).executeTakeFirst()) ?? null;
    },
  };
}
