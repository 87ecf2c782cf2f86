import type { ForeignKey, ScannedTable, TableKind } from '../../schema/model.js';
import { scannedColumn, scannedDefinition } from '../catalog-column.js';
import type { ScanOptions } from '../contract.js';
import { tableFilter } from '../table-filter.js';
import { keyOf, readCatalog, readColumns } from './catalog.js';
import { type MysqlRow, type MysqlSession, textOf } from './session.js';
import { readViewDigests } from './view-digests.js';

const KINDS: Readonly<Record<string, TableKind>> = {
  'BASE TABLE': 'table',
  'SYSTEM VERSIONED': 'table',
  VIEW: 'view',
};

/** The kind of a `TABLE_TYPE`; `undefined` for what is no dataset (a sequence). */
export function kindOfTable(type: string): TableKind | undefined {
  return Object.hasOwn(KINDS, type) ? KINDS[type] : undefined;
}

/** Reads every table and view outside the system's databases. */
export async function readTables(
  session: MysqlSession,
  options: ScanOptions,
): Promise<ScannedTable[]> {
  const covers = tableFilter(options);
  const found = await readCatalog(session, 'TABLES', 'TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE', 'all');
  const tables = found
    .map(([schema, name, type]) => ({
      table: { schema: textOf(schema), name: textOf(name) },
      kind: kindOfTable(textOf(type)),
    }))
    .filter(({ table }) => covers(table.schema, table.name))
    .sort((left, right) => (keyOf(left.table) < keyOf(right.table) ? -1 : 1));
  const columns = await readColumns(session, 'all');
  const digests = await readViewDigests(session, 'all');
  const keys = await readKeys(session);
  const foreignKeys = await readForeignKeys(session);
  return tables.flatMap(({ table, kind }): ScannedTable[] => {
    if (!kind) return [];
    const key = keyOf(table);
    const { primary = [], unique = [] } = keys.get(key) ?? {};
    return [
      {
        table,
        kind,
        primary_key: primary,
        unique_keys: unique,
        foreign_keys: foreignKeys.get(key) ?? [],
        ...scannedDefinition(digests.get(key), options.withDefinitions),
        columns: (columns.get(key) ?? []).map((column) =>
          scannedColumn(column, options.withDefinitions),
        ),
      },
    ];
  });
}

interface Keys {
  primary?: readonly string[];
  unique: (readonly string[])[];
}

/** Keys of whole columns that are not NULL; an index on an expression or on the beginning of a text is none. */
async function readKeys(session: MysqlSession): Promise<Map<string, Keys>> {
  const columns =
    'TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX, COLUMN_NAME, SUB_PART, NULLABLE';
  const condition = { condition: 'NON_UNIQUE = 0' };
  const rows = await readCatalog(session, 'STATISTICS', columns, 'all', condition);
  const tables = new Map<string, Keys>();
  for (const { key, name, parts } of grouped(rows)) {
    const isKey = parts.every(([, , , , column, part, nullable]) => {
      return column !== null && part === null && textOf(nullable) !== 'YES';
    });
    if (!isKey) continue;
    const keys = tables.get(key) ?? { unique: [] };
    const names = parts.map((row) => textOf(row[4]));
    if (name === 'PRIMARY') keys.primary = names;
    else keys.unique.push(names);
    tables.set(key, keys);
  }
  return tables;
}

async function readForeignKeys(session: MysqlSession): Promise<Map<string, ForeignKey[]>> {
  const columns = `TABLE_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION, COLUMN_NAME,
    REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME`;
  const condition = { condition: 'REFERENCED_TABLE_NAME IS NOT NULL' };
  const rows = await readCatalog(session, 'KEY_COLUMN_USAGE', columns, 'all', condition);
  const tables = new Map<string, ForeignKey[]>();
  for (const { key, parts } of grouped(rows)) {
    const [, , , , , schema, table] = parts[0] ?? [];
    const keys = tables.get(key) ?? [];
    keys.push({
      columns: parts.map((row) => textOf(row[4])),
      references: {
        schema: textOf(schema),
        table: textOf(table),
        columns: parts.map((row) => textOf(row[7])),
      },
    });
    tables.set(key, keys);
  }
  return tables;
}

interface Group {
  /** `keyOf` the table. */
  key: string;
  name: string;
  parts: MysqlRow[];
}

/** Rows of schema, table, name and place as the parts of what the name is of, names and parts in order. */
function grouped(rows: readonly MysqlRow[]): Group[] {
  const groups = new Map<string, Group>();
  for (const row of rows) {
    const [schema, table, name] = row.map(textOf);
    const key = keyOf({ schema: schema ?? '', name: table ?? '' });
    const id = `${key}\0${name}`;
    const group = groups.get(id) ?? { key, name: name ?? '', parts: [] };
    group.parts.push(row);
    groups.set(id, group);
  }
  for (const { parts } of groups.values()) parts.sort((a, b) => Number(a[3]) - Number(b[3]));
  return [...groups.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
