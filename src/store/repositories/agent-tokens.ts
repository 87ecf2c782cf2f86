import type { Selectable } from 'kysely';
import type { AgentTokenRow, StoreRepositories } from '../model.js';
import type { Db, Tables } from '../tables.js';
import { fromJson, rowLimit, toJson } from './columns.js';

export function agentTokensRepository(db: Db): StoreRepositories['agentTokens'] {
  const by = async (column: 'id' | 'token_hash', value: string): Promise<AgentTokenRow | null> => {
    const row = await db
      .selectFrom('agent_tokens')
      .selectAll()
      .where(column, '=', value)
      .executeTakeFirst();
    return row ? fromColumns(row) : null;
  };
  return {
    async insert(row) {
      const lists = {
        roles: toJson(row.roles),
        purposes: toJson(row.purposes),
        datasources: row.datasources == null ? null : toJson(row.datasources),
      };
      await db
        .insertInto('agent_tokens')
        .values({ ...row, ...lists })
        .execute();
    },
    byTokenHash: (hash) => by('token_hash', hash),
    byId: (id) => by('id', id),
    async byIdOrPrefix(text) {
      const exact = await by('id', text);
      if (exact) return exact;
      // A second row is enough to know that the prefix does not say which.
      const rows = await db
        .selectFrom('agent_tokens')
        .selectAll()
        .where('prefix', '=', text)
        .limit(2)
        .execute();
      const [row] = rows;
      return row && rows.length === 1 ? fromColumns(row) : null;
    },
    async byName(name, limit) {
      const rows = await db
        .selectFrom('agent_tokens')
        .selectAll()
        .where('name', '=', name)
        .where('revoked_at', 'is', null)
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .limit(rowLimit(limit))
        .execute();
      return rows.map(fromColumns);
    },
    async onBehalfOf(userId, limit) {
      const rows = await db
        .selectFrom('agent_tokens')
        .selectAll()
        .where('on_behalf_of', '=', userId)
        .where('revoked_at', 'is', null)
        .limit(rowLimit(limit))
        .execute();
      return rows.map(fromColumns);
    },
    async list(limit) {
      const rows = await db
        .selectFrom('agent_tokens')
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .limit(rowLimit(limit))
        .execute();
      return rows.map(fromColumns);
    },
    async revoke(id, at) {
      const { numUpdatedRows } = await db
        .updateTable('agent_tokens')
        .set({ revoked_at: at })
        .where('id', '=', id)
        .where('revoked_at', 'is', null)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
  };
}

function fromColumns(row: Selectable<Tables['agent_tokens']>): AgentTokenRow {
  return {
    ...row,
    roles: fromJson(row.roles),
    purposes: fromJson(row.purposes),
    datasources: row.datasources === null ? null : fromJson(row.datasources),
  };
}
