import type { Selectable } from 'kysely';
import type { NotificationRow, StoreRepositories } from '../model.js';
import type { Db, Tables } from '../tables.js';
import { fromJson, rowLimit, toJson } from './columns.js';

export function notificationsRepository(db: Db): StoreRepositories['notifications'] {
  return {
    async insert(row) {
      await db
        .insertInto('notifications')
        .values({ ...row, notice: toJson(row.notice) })
        .execute();
    },
    async due(channel, now, limit) {
      const rows = await db
        .selectFrom('notifications')
        .selectAll()
        .where('channel', '=', channel)
        .where('state', '=', 'waiting')
        .where('next_attempt_at', '<=', now)
        .orderBy('next_attempt_at')
        .orderBy('id')
        .limit(rowLimit(limit))
        .execute();
      return rows.map(fromColumns);
    },
    async update(id, change) {
      const { numUpdatedRows } = await db
        .updateTable('notifications')
        .set(change)
        .where('id', '=', id)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    async remove(id) {
      const { numDeletedRows } = await db
        .deleteFrom('notifications')
        .where('id', '=', id)
        .executeTakeFirst();
      return numDeletedRows > 0n;
    },
    async before(state, time, limit) {
      const rows = await db
        .selectFrom('notifications')
        .selectAll()
        .where('state', '=', state)
        .where('created_at', '<', time)
        .orderBy('created_at')
        .orderBy('id')
        .limit(rowLimit(limit))
        .execute();
      return rows.map(fromColumns);
    },
  };
}

function fromColumns(row: Selectable<Tables['notifications']>): NotificationRow {
  return { ...row, notice: fromJson(row.notice) };
}
