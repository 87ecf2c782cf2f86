import type { Selectable } from 'kysely';
import type { DatasourceRow, StoreRepositories } from '../model.js';
import type { Db, Tables } from '../tables.js';
import { fromJson, rowLimit, toJson } from './columns.js';

export function datasourcesRepository(db: Db): StoreRepositories['datasources'] {
  return {
    async insert(row) {
      await db
        .insertInto('datasources')
        .values({
          ...row,
          config: toJson(row.config),
          include: jsonOrNull(row.include),
          exclude: jsonOrNull(row.exclude),
        })
        .execute();
    },
    async byId(id) {
      const row = await db
        .selectFrom('datasources')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst();
      return row ? fromColumns(row) : null;
    },
    async list(limit) {
      const rows = await db
        .selectFrom('datasources')
        .selectAll()
        .orderBy('id')
        .limit(rowLimit(limit))
        .execute();
      return rows.map(fromColumns);
    },
    async update(id, change) {
      const { config, include, exclude, ...plain } = change;
      const values = {
        ...plain,
        ...(config === undefined ? {} : { config: toJson(config) }),
        ...(include === undefined ? {} : { include: jsonOrNull(include) }),
        ...(exclude === undefined ? {} : { exclude: jsonOrNull(exclude) }),
      };
      // Nothing to set is no statement; whether the row is there is still the answer.
      if (Object.keys(values).length === 0) return (await this.byId(id)) !== null;
      const { numUpdatedRows } = await db
        .updateTable('datasources')
        .set(values)
        .where('id', '=', id)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    async remove(id) {
      const { numDeletedRows } = await db
        .deleteFrom('datasources')
        .where('id', '=', id)
        .executeTakeFirst();
      return numDeletedRows > 0n;
    },
  };
}

function jsonOrNull(value: readonly string[] | null): string | null {
  return value === null ? null : toJson(value);
}

function fromColumns(row: Selectable<Tables['datasources']>): DatasourceRow {
  return {
    ...row,
    config: fromJson(row.config),
    include: row.include === null ? null : fromJson(row.include),
    exclude: row.exclude === null ? null : fromJson(row.exclude),
  };
}
