import type { TableExpectation } from '../../aql/plan.js';
import type { DriverErrors } from '../driver-error.js';
import { type LiveTable, tableDifference } from '../table-difference.js';
import { kindOfRelation, readColumns, readDefinitionDigests } from './catalog.js';
import { sqlState } from './error.js';
import type { PostgresSession } from './session.js';

/** undefined_table, invalid_schema_name, wrong_object_type */
const GONE_STATES: readonly (string | undefined)[] = ['42P01', '3F000', '42809'];
const INSUFFICIENT_PRIVILEGE = '42501';

const RELATIONS = `
  SELECT c.oid, c.relkind
  FROM ROWS FROM (
    pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])
  ) WITH ORDINALITY w (schema, name, place)
  LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema
  LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
  ORDER BY w.place`;

/**
 * Locks the tables of a query until its transaction ends, then compares them with what was reviewed.
 * Throws `schema_changed` for the first that differs, or the database's own error.
 */
export async function checkTables(
  session: PostgresSession,
  expected: readonly TableExpectation[],
  errors: DriverErrors,
): Promise<void> {
  for (const table of expected) await lock(session, table, errors);
  if (expected.length === 0) return;
  const live = await readLive(session, expected);
  expected.forEach((table, index) => {
    const difference = tableDifference(table, live[index]);
    if (difference !== undefined) throw errors.schemaChanged(table.dataset, difference);
  });
}

async function lock(
  session: PostgresSession,
  { dataset, kind, table }: TableExpectation,
  errors: DriverErrors,
): Promise<void> {
  const name = `${quote(table.schema)}.${quote(table.name)}`;
  // A query takes the same lock, which LOCK itself takes on tables and views alone. It reads no row.
  const bySelect = `SELECT FROM ${name} WHERE false`;
  const byLock = `SAVEPOINT vkit_lock; LOCK TABLE ${name} IN ACCESS SHARE MODE`;
  try {
    if (kind !== 'table' && kind !== 'view') await session.query(bySelect);
    else await lockOrSelect(session, byLock, bySelect);
  } catch (error) {
    if (!GONE_STATES.includes(sqlState(error))) throw error;
    throw errors.schemaChanged(dataset, `No ${kind ?? 'table'} has its name.`);
  }
}

/** LOCK asks for a privilege on the whole table, a query only for one on a column. */
async function lockOrSelect(
  session: PostgresSession,
  byLock: string,
  bySelect: string,
): Promise<void> {
  try {
    await session.query(byLock);
  } catch (error) {
    if (sqlState(error) !== INSUFFICIENT_PRIVILEGE) throw error;
    await session.query(`ROLLBACK TO SAVEPOINT vkit_lock; ${bySelect}`);
  }
}

async function readLive(
  session: PostgresSession,
  expected: readonly TableExpectation[],
): Promise<(LiveTable | undefined)[]> {
  const relations = await session.query(RELATIONS, [
    expected.map(({ table }) => table.schema),
    expected.map(({ table }) => table.name),
  ]);
  const oids = relations.map(([oid]) => oid ?? null).filter((oid) => oid !== null);
  const columns = await readColumns(session, [...new Set(oids)]);
  const wantsDigests = expected.some((table) => table.definition_digest !== undefined);
  const digests = wantsDigests ? await readDefinitionDigests(session, oids) : new Map();
  return relations.map(([oid, relkind]) => {
    const kind = kindOfRelation(relkind);
    if (!oid || !kind) return undefined;
    return { kind, definition_digest: digests.get(oid), columns: columns.get(oid) ?? [] };
  });
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
