import type { StoreRepositories } from '../model.js';
import type { Db } from '../tables.js';
import { LIST_ROWS_MAX, rowLimit } from './columns.js';

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
    async notUnder(keyId, limit, after) {
      const found = db.selectFrom('secrets').selectAll().where('key_id', '!=', keyId);
      const rest =
        after === undefined
          ? found
          : found.where((e) =>
              e.or([
                e('kind', '>', after.kind),
                e.and([e('kind', '=', after.kind), e('id', '>', after.id)]),
              ]),
            );
      return rest.orderBy('kind').orderBy('id').limit(rowLimit(limit)).execute();
    },
    async countByKey() {
      const rows = await db
        .selectFrom('secrets')
        .select(['key_id', (e) => e.fn.countAll().as('secrets')])
        .groupBy('key_id')
        .orderBy('key_id')
        .execute();
      return rows.map(({ key_id, secrets }) => ({ key_id, secrets: Number(secrets) }));
    },
    async replace(before, row) {
      const { kind, id, ...sealed } = row;
      // A nonce is of one sealing alone.
      const { numUpdatedRows } = await db
        .updateTable('secrets')
        .set(sealed)
        .where('kind', '=', kind)
        .where('id', '=', id)
        .where('key_id', '=', before.key_id)
        .where('nonce', '=', before.nonce)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    async isEmpty() {
      return (
        (await db.selectFrom('secrets').select('id').limit(1).executeTakeFirst()) === undefined
      );
    },
  };
}
