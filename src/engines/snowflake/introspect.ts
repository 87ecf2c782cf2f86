import type { ForeignKey, ScannedTable } from '../../schema/model.js';
import { scannedColumn, scannedDefinition } from '../catalog-column.js';
import type { ScanOptions } from '../contract.js';
import { tableFilter } from '../table-filter.js';
import { keyOf, kindOfTable, readCatalog, readColumns } from './catalog.js';
import { snowflakeDialect } from './dialect.js';
import { type SnowflakeSession, textOf } from './session.js';
import { readViewDigests } from './view-digests.js';

/**
 * Reads every table and view of the database. Snowflake keeps no primary or unique key, whatever is declared: a scan reports
 * none, so that no order and no join relies on one.
 */
export async function readTables(
  session: SnowflakeSession,
  options: ScanOptions,
): Promise<ScannedTable[]> {
  const covers = tableFilter(options);
  const found = await readCatalog(session, 'TABLES', 'TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE', 'all');
  const columns = await readColumns(session, 'all');
  const digests = await readViewDigests(session, 'all');
  const foreignKeys = await readForeignKeys(session);
  return found
    .map(([schema, name, type]) => ({
      table: { schema: textOf(schema), name: textOf(name) },
      kind: kindOfTable(textOf(type)),
    }))
    .filter(({ table }) => covers(table.schema, table.name))
    .sort((left, right) => (keyOf(left.table) < keyOf(right.table) ? -1 : 1))
    .flatMap(({ table, kind }): ScannedTable[] => {
      if (!kind) return [];
      const key = keyOf(table);
      return [
        {
          table,
          kind,
          primary_key: [],
          unique_keys: [],
          foreign_keys: foreignKeys.get(key) ?? [],
          ...scannedDefinition(digests.get(key), options.withDefinitions),
          columns: (columns.get(key) ?? []).map((column) =>
            scannedColumn(column, options.withDefinitions),
          ),
        },
      ];
    });
}

/** Declared foreign keys, which nobody checks either; they tell what a column holds. Those into other databases are left out. */
async function readForeignKeys(session: SnowflakeSession): Promise<Map<string, ForeignKey[]>> {
  const database = session.database ?? '';
  const rows = await session.show(
    `SHOW IMPORTED KEYS IN DATABASE ${snowflakeDialect.quoteIdentifier(database)}`,
  );
  const groups = new Map<
    string,
    { table: string; parts: Map<number, [string, string]>; to: [string, string] }
  >();
  for (const row of rows) {
    const cell = (name: string) => textOf(row.get(name));
    if (cell('pk_database_name') !== database || cell('fk_database_name') !== database) continue;
    const table = keyOf({ schema: cell('fk_schema_name'), name: cell('fk_table_name') });
    const to: [string, string] = [cell('pk_schema_name'), cell('pk_table_name')];
    const id = [table, cell('fk_name'), ...to].join('\0');
    const group = groups.get(id) ?? { table, parts: new Map(), to };
    group.parts.set(Number(cell('key_sequence')), [cell('fk_column_name'), cell('pk_column_name')]);
    groups.set(id, group);
  }
  const tables = new Map<string, ForeignKey[]>();
  for (const [, { table, parts, to }] of [...groups].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const pairs = [...parts].sort(([a], [b]) => a - b).map(([, pair]) => pair);
    const [schema, name] = to;
    const key: ForeignKey = {
      columns: pairs.map(([own]) => own),
      references: { schema, table: name, columns: pairs.map(([, theirs]) => theirs) },
    };
    tables.set(table, [...(tables.get(table) ?? []), key]);
  }
  return tables;
}
