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
    async list(limit) {
      return db
        .selectFrom('sessions')
        .selectAll()
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
