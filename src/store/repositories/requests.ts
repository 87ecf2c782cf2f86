import type { Selectable } from 'kysely';
import { VkitError } from '../../errors/index.js';
import type { RequestRow, StoreRepositories } from '../model.js';
import type { Db, Tables } from '../tables.js';
import { fromJson, rowLimit, toJson } from './columns.js';
import { runPrepared } from './prepared.js';

export function requestsRepository(db: Db): StoreRepositories['requests'] {
  return {
    async insert(row) {
      await db.insertInto('requests').values(toColumns(row)).execute();
    },
    async byId(id) {
      const build = () => db.selectFrom('requests').selectAll().where('id', '=', id);
      const [row] = await runPrepared(db, 'requests.byId', build, [id]);
      return row ? fromColumns(row) : null;
    },
    async list({ requesterId, states, expiredAt, beforeId, limit }) {
      if (states?.length === 0) return [];
      let query = db.selectFrom('requests').selectAll();
      if (requesterId !== undefined) query = query.where('requester_id', '=', requesterId);
      if (states !== undefined) query = query.where('state', 'in', states);
      if (expiredAt !== undefined) query = query.where('expires_at', '<=', expiredAt);
      if (beforeId !== undefined) {
        const { created_at } = await db
          .selectFrom('requests')
          .select('created_at')
          .where('id', '=', beforeId)
          .executeTakeFirstOrThrow(() => unknownCursor());
        query = query.where(({ eb, and, or }) =>
          or([
            eb('created_at', '<', created_at),
            and([eb('created_at', '=', created_at), eb('id', '<', beforeId)]),
          ]),
        );
      }
      const rows = await query
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .limit(rowLimit(limit))
        .execute();
      return rows.map(fromColumns);
    },
    async count(requesterId, state) {
      const { requests } = await db
        .selectFrom('requests')
        .select(({ fn }) => fn.countAll<number>().as('requests'))
        .where('requester_id', '=', requesterId)
        .where('state', '=', state)
        .executeTakeFirstOrThrow();
      return Number(requests);
    },
    async transition(id, from, { decision, masked_fields, ...change }) {
      const { numUpdatedRows } = await db
        .updateTable('requests')
        // The state is always set, so that an empty change still asks whether the row is there.
        .set({
          state: from,
          ...change,
          ...(decision === undefined ? {} : { decision: decision && toJson(decision) }),
          ...(masked_fields === undefined ? {} : { masked_fields: toJson(masked_fields) }),
        })
        .where('id', '=', id)
        .where('state', '=', from)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
  };
}

function toColumns(row: RequestRow): Selectable<Tables['requests']> {
  return {
    ...row,
    aql: toJson(row.aql),
    metadata: toJson(row.metadata),
    narrowing: toJson(row.narrowing),
    decision: row.decision && toJson(row.decision),
    masked_fields: toJson(row.masked_fields),
  };
}

function fromColumns(row: Selectable<Tables['requests']>): RequestRow {
  return {
    ...row,
    aql: fromJson(row.aql),
    metadata: fromJson(row.metadata),
    narrowing: fromJson(row.narrowing),
    decision: row.decision === null ? null : fromJson(row.decision),
    masked_fields: fromJson(row.masked_fields),
  };
}

function unknownCursor(): VkitError {
  return new VkitError('invalid_input', 'The page to continue after does not exist.', {
    hint: 'Start again with the first page.',
  });
}
