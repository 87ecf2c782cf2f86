import type { StoreRepositories } from '../model.js';
import type { Db } from '../tables.js';
import { LIST_ROWS_MAX } from './columns.js';

export function secretsRepository(db: Db): StoreRepositories['secrets'] {
  return {
    async put(row) {
      const { kind: _kind, id: _id, ...sealed } = row;
      await db
        .insertInto('secrets')
        .values(row)
        .onConflict((conflict) => conflict.columns(['kind', 'id']).doUpdateSet(sealed))
        .execute();
    },
    async get(kind, id) {
      const row = await db
        .selectFrom('secrets')
        .selectAll()
        .where('kind', '=', kind)
        .where('id', '=', id)
        .executeTakeFirst();
      return row ?? null;
    },
    async ids(kind) {
      const rows = await db
        .selectFrom('secrets')
        .select('id')
        .where('kind', '=', kind)
        .orderBy('id')
        .limit(LIST_ROWS_MAX)
        .execute();
      return rows.map(({ id }) => id);
    },
    async remove(kind, id) {
      const { numDeletedRows } = await db
        .deleteFrom('secrets')
        .where('kind', '=', kind)
        .where('id', '=', id)
        .executeTakeFirst();
      return numDeletedRows > 0n;
    },
    async isEmpty() {
      return (
        (await db.selectFrom('secrets').select('id').limit(1).executeTakeFirst()) === undefined
      );
    },
  };
}
