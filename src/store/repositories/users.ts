import type { Selectable, Updateable } from 'kysely';
import type { StoreRepositories, UserRow } from '../model.js';
import type { Db, Tables } from '../tables.js';
import { fromJson, rowLimit, toJson } from './columns.js';

export function usersRepository(db: Db): StoreRepositories['users'] {
  const byId = async (id: string): Promise<UserRow | null> => {
    const row = await db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst();
    return row ? fromColumns(row) : null;
  };
  return {
    byId,
    async insert(row) {
      const { roles, purposes, email } = row;
      const lists = { roles: toJson(roles), purposes: toJson(purposes) };
      await db
        .insertInto('users')
        .values({ ...row, ...lists, email: email.toLowerCase() })
        .execute();
    },
    async byEmail(email) {
      const row = await db
        .selectFrom('users')
        .selectAll()
        .where('email', '=', email.toLowerCase())
        .executeTakeFirst();
      return row ? fromColumns(row) : null;
    },
    async byOidcSubject(subject) {
      const row = await db
        .selectFrom('users')
        .selectAll()
        .where('oidc_subject', '=', subject)
        .executeTakeFirst();
      return row ? fromColumns(row) : null;
    },
    async withRole(role, limit) {
      const rows = await db
        .selectFrom('users')
        .selectAll()
        .where('roles', 'like', `%${toJson(role)}%`)
        .limit(rowLimit(limit))
        .execute();
      // What LIKE takes for a wildcard or for the same letter is no role of that name.
      return rows.map(fromColumns).filter(({ roles }) => roles.includes(role));
    },
    async list(limit) {
      const rows = await db
        .selectFrom('users')
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .limit(rowLimit(limit))
        .execute();
      return rows.map(fromColumns);
    },
    async update(id, change) {
      const columns = toColumns(change);
      if (Object.keys(columns).length === 0) return (await byId(id)) !== null;
      const { numUpdatedRows } = await db
        .updateTable('users')
        .set(columns)
        .where('id', '=', id)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
  };
}

function fromColumns(row: Selectable<Tables['users']>): UserRow {
  return { ...row, roles: fromJson(row.roles), purposes: fromJson(row.purposes) };
}

function toColumns({
  email,
  roles,
  purposes,
  ...rest
}: Partial<UserRow>): Updateable<Tables['users']> {
  return {
    ...rest,
    ...(email === undefined ? {} : { email: email.toLowerCase() }),
    ...(roles === undefined ? {} : { roles: toJson(roles) }),
    ...(purposes === undefined ? {} : { purposes: toJson(purposes) }),
  };
}
