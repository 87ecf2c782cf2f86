import type { StoreRepositories } from '../model.js';
import type { Db } from '../tables.js';

export function idempotencyRepository(db: Db): StoreRepositories['idempotency'] {
  return {
    async find(requesterId, route, key) {
      const row = await db
        .selectFrom('idempotency')
        .selectAll()
        .where('requester_id', '=', requesterId)
        .where('route', '=', route)
        .where('key', '=', key)
        .executeTakeFirst();
      return row ?? null;
    },
    async insert(row) {
      await db.insertInto('idempotency').values(row).execute();
    },
  };
}
