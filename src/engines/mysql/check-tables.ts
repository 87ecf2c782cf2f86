import type { TableExpectation } from '../../aql/plan.js';
import type { DriverErrors } from '../driver-error.js';
import { type LiveTable, tableDifference } from '../table-difference.js';
import { keyOf, readCatalog, readColumns } from './catalog.js';
import { mysqlDialect } from './dialect.js';
import { isGone } from './error.js';
import { kindOfTable } from './introspect.js';
import { type MysqlSession, textOf } from './session.js';
import { readViewDigests } from './view-digests.js';

/**
 * Locks the tables of a query until its transaction ends, then compares them with what was reviewed.
 * Throws `schema_changed` for the first that differs, or the database's own error.
 */
export async function checkTables(
  session: MysqlSession,
  expected: readonly TableExpectation[],
  errors: DriverErrors,
): Promise<undefined> {
  for (const table of expected) await lock(session, table, errors);
  if (expected.length === 0) return;
  const live = await readLive(session, expected);
  for (const table of expected) {
    const difference = tableDifference(table, live.get(keyOf(table.table)));
    if (difference !== undefined) throw errors.schemaChanged(table.dataset, difference);
  }
}

/** Reading no row takes the metadata lock of a query on the table, and of a view on all that it reads. */
async function lock(
  session: MysqlSession,
  { dataset, kind, table }: TableExpectation,
  errors: DriverErrors,
): Promise<void> {
  try {
    await session.query(`SELECT 1 FROM ${mysqlDialect.table(table)} LIMIT 0`);
  } catch (error) {
    if (!isGone(error)) throw error;
    throw errors.schemaChanged(dataset, `No ${kind ?? 'table'} has its name.`);
  }
}

async function readLive(
  session: MysqlSession,
  expected: readonly TableExpectation[],
): Promise<Map<string, LiveTable>> {
  const names = [...new Map(expected.map(({ table }) => [keyOf(table), table])).values()];
  const columns = 'TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE';
  const found = await readCatalog(session, 'TABLES', columns, names);
  const live = await readColumns(session, names);
  const views = expected.filter((table) => table.definition_digest !== undefined);
  const digests = await readViewDigests(
    session,
    views.map(({ table }) => table),
  );
  const tables = new Map<string, LiveTable>();
  for (const [schema, name, type] of found) {
    const key = keyOf({ schema: textOf(schema), name: textOf(name) });
    const kind = kindOfTable(textOf(type));
    const digest = digests.get(key)?.digest;
    if (!kind) continue;
    tables.set(key, {
      kind,
      ...(digest === undefined ? {} : { definition_digest: digest }),
      columns: live.get(key) ?? [],
    });
  }
  return tables;
}
