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

/** Comparisons that are remembered: one per set of datasets that queries use together. */
const REMEMBERED_MAX = 1_000;
/** Object ids of types that come with PostgreSQL, and mean the same for good. */
const BUILT_IN_OID_MAX = 16_383;

export type TableCheck = (
  session: PostgresSession,
  expected: readonly TableExpectation[],
  errors: DriverErrors,
) => Promise<void>;

/**
 * Locks the tables of a query until its transaction ends, then compares them with what was reviewed.
 * Throws `schema_changed` for the first that differs, or the database's own error.
 *
 * What a comparison looks at is read anew every time, under the lock. Of tables whose columns have built-in types alone, it
 * is read in one statement together with the lock, and need not be compared again where it is, to the letter, what passed
 * before.
 */
export function createTableCheck(): TableCheck {
  const passed = new Map<string, string>();
  return async (session, expected, errors) => {
    if (!expected.every(({ kind }) => kind === 'table')) {
      return lockAndCompare(session, expected, errors);
    }
    const live = await lockAndRead(session, expected);
    const key = JSON.stringify(expected);
    if (live !== undefined && passed.get(key) === live) return;
    await lockAndCompare(session, expected, errors);
    if (live === undefined) return;
    if (passed.size >= REMEMBERED_MAX) passed.clear();
    passed.set(key, live);
  };
}

/**
 * Everything that a comparison would look at, as one text, with the tables locked; `undefined` where that takes more than
 * one statement, with nothing locked.
 */
async function lockAndRead(
  session: PostgresSession,
  expected: readonly TableExpectation[],
): Promise<string | undefined> {
  if (expected.length === 0) return undefined;
  const names = expected.map(({ table }) => `${quote(table.schema)}.${quote(table.name)}`);
  const facts = names.map(
    (name) => `SELECT c.oid, c.relkind, pg_catalog.json_agg(
        pg_catalog.json_build_array(a.attname, a.atttypid) ORDER BY a.attnum
      ), pg_catalog.max(a.atttypid::pg_catalog.int8)
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      WHERE c.oid = ${literal(name)}::pg_catalog.regclass GROUP BY c.oid, c.relkind`,
  );
  session.defer('SAVEPOINT vkit_lock');
  session.defer(`LOCK TABLE ${names.join(', ')} IN ACCESS SHARE MODE`);
  try {
    const rows = await session.query(facts.join(' UNION ALL '));
    const isBuiltIn = rows.every(([, , , highest]) => Number(highest) <= BUILT_IN_OID_MAX);
    return isBuiltIn && rows.length === expected.length ? JSON.stringify(rows) : undefined;
  } catch (error) {
    const state = sqlState(error);
    if (state !== INSUFFICIENT_PRIVILEGE && !GONE_STATES.includes(state)) throw error;
    await session.query('ROLLBACK TO SAVEPOINT vkit_lock');
    return undefined;
  }
}

async function lockAndCompare(
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

/** Under `standard_conforming_strings`, which every session has pinned. */
function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
