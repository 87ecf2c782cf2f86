import type { StoreRepositories } from '../model.js';
import type { Db } from '../tables.js';

export function ticketsRepository(db: Db): StoreRepositories['tickets'] {
  return {
    async insert(row) {
      await db.insertInto('tickets').values(row).execute();
    },
    async redeem(id, now) {
      const row = await db
        .deleteFrom('tickets')
        .where('id', '=', id)
        .where('expires_at', '>', now)
        .returningAll()
        .executeTakeFirst();
      return row ?? null;
    },
    async removeExpired(now) {
      await db.deleteFrom('tickets').where('expires_at', '<=', now).execute();
    },
  };
}
