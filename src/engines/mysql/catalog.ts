import type { ColumnOrigin } from '../../schema/model.js';
import type { CatalogColumn } from '../catalog-column.js';
import type { MysqlRow, MysqlSession } from './session.js';
import { textOf } from './session.js';
import { normaliseMysqlType } from './type.js';

export interface TableName {
  schema: string;
  name: string;
}

/** Everything the login may see outside the system's own databases. */
export type Scope = 'all' | readonly TableName[];

/** The databases of the system itself. */
export const SYSTEM_SCHEMAS: readonly string[] = [
  'information_schema',
  'mysql',
  'performance_schema',
  'sys',
];
const SYSTEM = `(${SYSTEM_SCHEMAS.map((name) => `'${name}'`).join(', ')})`;

/** No name holds a NUL. */
export function keyOf({ schema, name }: TableName): string {
  return `${schema}\0${name}`;
}

/**
 * Rows of a view of information_schema. MariaDB opens no other table only where schema and name are compared with
 * constants, so each table has a SELECT of its own.
 */
export async function readCatalog(
  session: MysqlSession,
  view: string,
  columns: string,
  scope: Scope,
  { schemaColumn = 'TABLE_SCHEMA', condition = 'TRUE' } = {},
): Promise<readonly MysqlRow[]> {
  const select = `SELECT ${columns} FROM information_schema.${view} WHERE ${condition}`;
  if (scope === 'all') return session.query(`${select} AND ${schemaColumn} NOT IN ${SYSTEM}`);
  if (scope.length === 0) return [];
  const one = `${select} AND ${schemaColumn} = ? AND TABLE_NAME = ?`;
  return session.query(
    scope.map(() => one).join(' UNION ALL '),
    scope.flatMap(({ schema, name }) => [schema, name]),
  );
}

const COLUMNS = `TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, DATA_TYPE, COLUMN_TYPE,
  IS_NULLABLE, COLUMN_DEFAULT, GENERATION_EXPRESSION, COLUMN_COMMENT`;

/** The columns of tables by `keyOf`, in the order of their positions. */
export async function readColumns(
  session: MysqlSession,
  scope: Scope,
): Promise<Map<string, CatalogColumn[]>> {
  const rows = [...(await readCatalog(session, 'COLUMNS', COLUMNS, scope))];
  const json = await readJsonColumns(session, rows, scope);
  rows.sort((left, right) => Number(left[3]) - Number(right[3]));
  const tables = new Map<string, CatalogColumn[]>();
  for (const row of rows) {
    const [schema, table, name, , type, native, nullable, byDefault, generation, comment] = row.map(
      (cell) => (cell === null ? null : textOf(cell)),
    );
    const key = keyOf({ schema: schema ?? '', name: table ?? '' });
    const columns = tables.get(key) ?? [];
    const isJson = json.has(`${key}\0${name}`);
    columns.push({
      name: name ?? '',
      position: columns.length + 1,
      type: normaliseMysqlType({ name: type ?? '', full: native ?? '', isJson }),
      native: native ?? '',
      nullable: nullable === 'YES',
      generated: Boolean(generation),
      default: defaultOf(session, byDefault ?? null),
      comment: comment || null,
      origins: generation ? originsIn(generation, schema ?? '', table ?? '') : undefined,
    });
    tables.set(key, columns);
  }
  return tables;
}

/** A name in quotes, doubled where they are part of it, or a text, in which no name is meant. */
const QUOTED = /`((?:[^`]|``)*)`|"((?:[^"]|"")*)"|'(?:[^'\\]|''|\\.)*'/gs;

/** The columns of its own table that a generated column is made of: both products print each name of one in quotes. */
function originsIn(expression: string, schema: string, table: string): ColumnOrigin[] | undefined {
  const names = new Set<string>();
  for (const [, backquoted, quoted] of expression.matchAll(QUOTED)) {
    if (backquoted !== undefined) names.add(backquoted.replaceAll('``', '`'));
    else if (quoted !== undefined) names.add(quoted.replaceAll('""', '"'));
  }
  // One that names no column is made of something else than columns, or is printed otherwise than is known here.
  if (names.size === 0) return undefined;
  return [...names].map((column) => ({ schema, table, column }));
}

/** MariaDB writes the default as an expression, so that no default is the expression NULL. */
function defaultOf({ product }: MysqlSession, written: string | null): string | null {
  return product?.name === 'mariadb' && written === 'NULL' ? null : written;
}

/** A check of the column's own names no other column. */
const JSON_CHECK = /^json_valid\((?:`(?:[^`]|``)*`|"(?:[^"]|"")*")\)$/i;

/** MariaDB's JSON is LONGTEXT with a check of the column's own that it is valid. */
async function readJsonColumns(
  session: MysqlSession,
  columns: readonly MysqlRow[],
  scope: Scope,
): Promise<ReadonlySet<string>> {
  const mayBeJson = columns.some((row) => textOf(row[4]) === 'longtext');
  if (session.product?.name !== 'mariadb' || !mayBeJson) return new Set();
  const rows = await readCatalog(
    session,
    'CHECK_CONSTRAINTS',
    'CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, CHECK_CLAUSE',
    scope,
    { schemaColumn: 'CONSTRAINT_SCHEMA', condition: "LEVEL = 'Column'" },
  );
  const names = rows
    .filter((row) => JSON_CHECK.test(textOf(row[3])))
    .map(([schema, name, column]) => {
      return `${keyOf({ schema: textOf(schema), name: textOf(name) })}\0${textOf(column)}`;
    });
  return new Set(names);
}
