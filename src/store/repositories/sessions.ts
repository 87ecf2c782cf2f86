import type { StoreRepositories } from '../model.js';
import type { Db } from '../tables.js';
import { rowLimit } from './columns.js';

export function sessionsRepository(db: Db): StoreRepositories['sessions'] {
  return {
    async insert(row) {
      await db.insertInto('sessions').values(row).execute();
    },
    async byTokenHash(hash) {
      const row = await db
        .selectFrom('sessions')
        .selectAll()
        .where('token_hash', '=', hash)
        .executeTakeFirst();
      return row ?? null;
    },
    async byId(id) {
      const row = await db
        .selectFrom('sessions')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst();
      return row ?? null;
    },
    async list(limit, { userId, activeAt } = {}) {
      let query = db.selectFrom('sessions').selectAll();
      if (userId !== undefined) query = query.where('user_id', '=', userId);
      if (activeAt !== undefined) {
        query = query.where('revoked_at', 'is', null).where('expires_at', '>', activeAt);
      }
      return query
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .limit(rowLimit(limit))
        .execute();
    },
    async revoke(id, at) {
      const { numUpdatedRows } = await db
        .updateTable('sessions')
        .set({ revoked_at: at })
        .where('id', '=', id)
        .where('revoked_at', 'is', null)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    async revokeAllOf(userId, at) {
      const { numUpdatedRows } = await db
        .updateTable('sessions')
        .set({ revoked_at: at })
        .where('user_id', '=', userId)
        .where('revoked_at', 'is', null)
        .executeTakeFirst();
      return Number(numUpdatedRows);
    },
  };
}
