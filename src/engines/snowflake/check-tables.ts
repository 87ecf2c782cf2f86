import type { TableExpectation } from '../../aql/plan.js';
import type { DriverErrors } from '../driver-error.js';
import { type LiveTable, tableDifference } from '../table-difference.js';
import { keyOf, kindOfTable, readCatalog, readColumns } from './catalog.js';
import { type SnowflakeSession, textOf } from './session.js';
import { readViewDigests } from './view-digests.js';

/** A query may run on a table that was compared so long ago; aql.md allows 60 s. */
const AGE_MAX_MS = 30_000;
const TABLES_MAX = 10_000;

/** A table as it was read, `undefined` where there was none, and when the reading of it began. */
interface Seen {
  live: LiveTable | undefined;
  hasDigest: boolean;
  readAt: number;
}

export type TableCheck = (
  session: SnowflakeSession,
  expected: readonly TableExpectation[],
  errors: DriverErrors,
) => Promise<undefined>;

/**
 * Compares the tables of queries with what was reviewed; Snowflake locks none. What was read shortly before is good enough
 * to let a query pass, and never to refuse one. Throws `schema_changed` for the first table that differs.
 */
export function createTableCheck(now: () => number): TableCheck {
  const seen = new Map<string, Seen>();
  const isGood = (table: TableExpectation): boolean => {
    const known = seen.get(keyOf(table.table));
    if (known === undefined || now() - known.readAt > AGE_MAX_MS) return false;
    if (table.definition_digest !== undefined && !known.hasDigest) return false;
    return tableDifference(table, known.live) === undefined;
  };
  return async (session, expected, errors) => {
    const open = expected.filter((table) => !isGood(table));
    if (open.length === 0) return;
    const readAt = now();
    const live = await readLive(session, open);
    if (seen.size > TABLES_MAX) seen.clear();
    const digested = new Set(
      open.filter((one) => one.definition_digest !== undefined).map(({ table }) => keyOf(table)),
    );
    for (const { table } of open) {
      const key = keyOf(table);
      seen.set(key, { live: live.get(key), hasDigest: digested.has(key), readAt });
    }
    for (const table of open) {
      const difference = tableDifference(table, live.get(keyOf(table.table)));
      if (difference !== undefined) throw errors.schemaChanged(table.dataset, difference);
    }
  };
}

async function readLive(
  session: SnowflakeSession,
  expected: readonly TableExpectation[],
): Promise<Map<string, LiveTable>> {
  const names = [...new Map(expected.map(({ table }) => [keyOf(table), table])).values()];
  const found = await readCatalog(session, 'TABLES', 'TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE', names);
  const columns = await readColumns(session, names);
  const views = expected.filter((table) => table.definition_digest !== undefined);
  const digests =
    views.length === 0
      ? undefined
      : await readViewDigests(
          session,
          views.map(({ table }) => table),
        );
  const tables = new Map<string, LiveTable>();
  for (const [schema, name, type] of found) {
    const key = keyOf({ schema: textOf(schema), name: textOf(name) });
    const kind = kindOfTable(textOf(type));
    const digest = digests?.get(key)?.digest;
    if (!kind) continue;
    tables.set(key, {
      kind,
      ...(digest === undefined ? {} : { definition_digest: digest }),
      columns: columns.get(key) ?? [],
    });
  }
  return tables;
}
