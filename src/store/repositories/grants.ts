import type { StoreRepositories } from '../model.js';
import type { Db } from '../tables.js';
import { rowLimit } from './columns.js';
import { runPrepared } from './prepared.js';

export function grantsRepository(db: Db): StoreRepositories['grants'] {
  return {
    async insert(row) {
      await db.insertInto('grants').values(row).execute();
    },
    async byId(id) {
      const build = () => db.selectFrom('grants').selectAll().where('id', '=', id);
      const [row] = await runPrepared(db, 'grants.byId', build, [id]);
      return row ?? null;
    },
    async byRequest(requestId) {
      const row = await db
        .selectFrom('grants')
        .selectAll()
        .where('request_id', '=', requestId)
        .executeTakeFirst();
      return row ?? null;
    },
    async revoke(id, at, reason) {
      const { numUpdatedRows } = await db
        .updateTable('grants')
        .set({ revoked_at: at, revoke_reason: reason })
        .where('id', '=', id)
        .where('revoked_at', 'is', null)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    async expiredBetween(after, until, limit) {
      return db
        .selectFrom('grants')
        .selectAll()
        .where('expires_at', '>', after)
        .where('expires_at', '<=', until)
        .where('revoked_at', 'is', null)
        .orderBy('expires_at')
        .orderBy('id')
        .limit(rowLimit(limit))
        .execute();
    },
  };
}
