import type { TableKind } from '../../schema/model.js';
import type { CatalogColumn } from '../catalog-column.js';
import { snowflakeDialect } from './dialect.js';
import type { SnowflakeRow, SnowflakeSession } from './session.js';
import { textOf } from './session.js';
import { type CatalogType, nativeSnowflakeType, normaliseSnowflakeType } from './type.js';

export interface TableName {
  schema: string;
  name: string;
}

/** Everything the role may see outside the system's own schema. */
export type Scope = 'all' | readonly TableName[];

const KINDS: Readonly<Record<string, TableKind>> = {
  'BASE TABLE': 'table',
  VIEW: 'view',
  'MATERIALIZED VIEW': 'materialized_view',
  'EXTERNAL TABLE': 'foreign_table',
};

/** Tables that one statement names. */
const NAMES_MAX = 500;

/** No name holds a NUL. */
export function keyOf({ schema, name }: TableName): string {
  return `${schema}\0${name}`;
}

/** The kind of a `TABLE_TYPE`; `undefined` for what is no dataset (a temporary or an event table). */
export function kindOfTable(type: string): TableKind | undefined {
  return Object.hasOwn(KINDS, type) ? KINDS[type] : undefined;
}

/** Rows of a view of the database's INFORMATION_SCHEMA. */
export async function readCatalog(
  session: SnowflakeSession,
  view: string,
  columns: string,
  scope: Scope,
): Promise<readonly SnowflakeRow[]> {
  const database = snowflakeDialect.quoteIdentifier(session.database ?? '');
  const select = `SELECT ${columns} FROM ${database}.INFORMATION_SCHEMA.${view}`;
  if (scope === 'all') return session.query(`${select} WHERE TABLE_SCHEMA <> 'INFORMATION_SCHEMA'`);
  const rows: SnowflakeRow[] = [];
  for (let at = 0; at < scope.length; at += NAMES_MAX) {
    const names = scope.slice(at, at + NAMES_MAX);
    const tests = names.map(() => '(TABLE_SCHEMA = ? AND TABLE_NAME = ?)').join(' OR ');
    const values = names.flatMap(({ schema, name }) => [schema, name]);
    rows.push(...(await session.query(`${select} WHERE ${tests}`, values)));
  }
  return rows;
}

const COLUMNS = `TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH,
  NUMERIC_PRECISION, NUMERIC_SCALE, COLLATION_NAME, IS_NULLABLE, COLUMN_DEFAULT, COMMENT`;

/** The columns of tables by `keyOf`, in the order of their positions. */
export async function readColumns(
  session: SnowflakeSession,
  scope: Scope,
): Promise<Map<string, CatalogColumn[]>> {
  const rows = [...(await readCatalog(session, 'COLUMNS', COLUMNS, scope))];
  rows.sort((left, right) => Number(left[3]) - Number(right[3]));
  const tables = new Map<string, CatalogColumn[]>();
  for (const row of rows) {
    const [schema, table, name, , dataType, length, precision, scale, collation, ...rest] = row.map(
      (cell) => (cell === null ? null : textOf(cell)),
    );
    const [nullable, byDefault, comment] = rest;
    const key = keyOf({ schema: schema ?? '', name: table ?? '' });
    const columns = tables.get(key) ?? [];
    const type: CatalogType = {
      name: dataType ?? '',
      length: length ?? null,
      precision: precision ?? null,
      scale: scale ?? null,
      collation: collation ?? null,
    };
    columns.push({
      name: name ?? '',
      position: columns.length + 1,
      type: normaliseSnowflakeType(type),
      native: nativeSnowflakeType(type),
      nullable: nullable !== 'NO',
      generated: false,
      default: byDefault ?? null,
      comment: comment || null,
    });
    tables.set(key, columns);
  }
  return tables;
}
