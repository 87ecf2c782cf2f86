import type { TableExpectation } from '../../aql/plan.js';
import type { VkitError } from '../../errors/index.js';
import type { DriverErrors } from '../driver-error.js';
import type { LaterCheck, TableCheck } from '../run-query.js';
import { type LiveTable, tableDifference } from '../table-difference.js';
import { kindOfRelation, type RawColumns, readColumns, readDefinitions } from './catalog.js';
import { sqlState } from './error.js';
import type { PostgresSession, TextRow } from './session.js';

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

/** What a comparison looks at, to the letter, and the schemas that its names were found in. */
export interface Facts {
  text: string;
  schemas: string;
  /** Whether all columns have built-in types: others can come to mean something else. */
  isBuiltIn(): boolean;
}

/** Planned once for each connection, since planning them takes longer than running them. */
export const PREPARE_CHECKS = [
  `PREPARE vkit_facts (pg_catalog.text, pg_catalog.text) AS
    SELECT n.nspname, n.oid, n.xmin, c.oid, c.relkind, (
      SELECT pg_catalog.json_agg(
        pg_catalog.json_build_array(a.attname, a.atttypid) ORDER BY a.attnum
      ) FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    )
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = $2
    WHERE c.oid = $1::pg_catalog.regclass`,
  `PREPARE vkit_schemas (pg_catalog.text[]) AS
    SELECT n.nspname, n.oid, n.xmin FROM pg_catalog.pg_namespace n WHERE n.nspname = ANY ($1)`,
].join('; ');

/**
 * Locks the tables of a query until its transaction ends, then compares them with what was reviewed.
 * Throws `schema_changed` for the first that differs, or the database's own error.
 *
 * What a comparison looks at is read anew every time, under the lock. Of tables whose columns have built-in types alone, it
 * is read in one statement together with the lock, and need not be compared again where it is, to the letter, what passed
 * before.
 *
 * No lock keeps a schema from being renamed: another table may have the name by the time a query names it. Each change of a
 * schema makes its row anew, by which it is seen that none changed from before the lock until the query was open.
 */
export function createTableCheck(): {
  checkTables: TableCheck<PostgresSession>;
  /** The text that passed earlier for these tables: where it is read again under the lock, nothing else needs to be compared. */
  passedBefore(expected: readonly TableExpectation[]): string | undefined;
} {
  const passed = new Map<string, string>();
  return {
    passedBefore: (expected) => passed.get(keyOf(expected)),
    async checkTables(session, expected, errors) {
      if (expected.length === 0) return undefined;
      const key = keyOf(expected);
      const isOfTables = expected.every(({ kind }) => kind === 'table');
      const facts = isOfTables ? await lockAndRead(session, expected) : undefined;
      if (facts !== undefined && passed.get(key) === facts.text) {
        // What passed earlier to the letter is in schemas that have not changed since, nor while the tables were locked.
        return checkLater(expected, facts.schemas, errors);
      }
      const schemas = schemasOf(await session.query(readSchemas(expected)));
      await lockAndCompare(session, expected, errors);
      const compared = facts?.isBuiltIn() ? await lockAndRead(session, expected) : undefined;
      const schemasNow = compared?.schemas ?? schemasOf(await session.query(readSchemas(expected)));
      if (schemasNow !== schemas) throw renamed(expected, errors);
      if (compared !== undefined) {
        if (passed.size >= REMEMBERED_MAX) passed.clear();
        passed.set(key, compared.text);
      }
      return checkLater(expected, schemas, errors);
    },
  };
}

/** Expectations come from plans, which are used again and never change. */
const keys = new WeakMap<readonly TableExpectation[], string>();

function keyOf(expected: readonly TableExpectation[]): string {
  const known = keys.get(expected);
  if (known !== undefined) return known;
  const key = JSON.stringify(expected);
  keys.set(expected, key);
  return key;
}

/** Reads the schemas that tables are named in. */
export function readSchemas(expected: readonly TableExpectation[]): string {
  const names = new Set(expected.map(({ table }) => literal(table.schema)));
  return `EXECUTE vkit_schemas (ARRAY[${[...names].join(', ')}])`;
}

/** The one text that stands for all that the schemas are. */
export function schemasOf(rows: readonly TextRow[]): string {
  return [...new Set(rows.map((row) => JSON.stringify(row)))].sort().join();
}

/** Throws `schema_changed` where the schemas are not those that were read before. */
function checkLater(
  expected: readonly TableExpectation[],
  before: string,
  errors: DriverErrors,
): LaterCheck<PostgresSession> {
  return async (session, isLast) => {
    // The end of the transaction is sent along: its round trip is saved.
    const read = isLast ? `${readSchemas(expected)}; ROLLBACK` : readSchemas(expected);
    if (schemasOf(await session.query(read)) !== before) throw renamed(expected, errors);
  };
}

function renamed(expected: readonly TableExpectation[], errors: DriverErrors): VkitError {
  const dataset = expected.map((table) => table.dataset).join(', ');
  return errors.schemaChanged(dataset, 'A schema changed while the query was prepared.');
}

export function lockTables(expected: readonly TableExpectation[]): string {
  const names = expected.map(({ table }) => nameOf(table));
  return `LOCK TABLE ${names.join(', ')} IN ACCESS SHARE MODE`;
}

/** A statement for each table, of one row where it is there. */
export function readFacts(expected: readonly TableExpectation[]): string[] {
  return expected.map(
    ({ table }) => `EXECUTE vkit_facts (${literal(nameOf(table))}, ${literal(table.schema)})`,
  );
}

/** What was read of tables, of which each is there. */
export function factsOf(rows: readonly TextRow[]): Facts {
  return {
    text: JSON.stringify(rows),
    schemas: schemasOf(rows.map((row) => row.slice(0, 3))),
    isBuiltIn: () => rows.every(([, , , , , columns]) => isOfBuiltIns(columns)),
  };
}

/**
 * Everything that a comparison would look at, with the tables locked; `undefined` where they cannot be locked at once, with
 * nothing locked.
 */
async function lockAndRead(
  session: PostgresSession,
  expected: readonly TableExpectation[],
): Promise<Facts | undefined> {
  session.defer('SAVEPOINT vkit_lock');
  session.defer(lockTables(expected));
  try {
    const rows = await session.query(readFacts(expected).join('; '));
    return rows.length === expected.length ? factsOf(rows) : undefined;
  } catch (error) {
    const state = sqlState(error);
    if (state !== INSUFFICIENT_PRIVILEGE && !GONE_STATES.includes(state)) throw error;
    await session.query('ROLLBACK TO SAVEPOINT vkit_lock');
    return undefined;
  }
}

/** A table without columns has none to compare. */
function isOfBuiltIns(columns: string | null | undefined): boolean {
  const pairs: [name: string, type: string | number][] = JSON.parse(columns ?? '[]');
  return pairs.every(([, type]) => Number(type) <= BUILT_IN_OID_MAX);
}

async function lockAndCompare(
  session: PostgresSession,
  expected: readonly TableExpectation[],
  errors: DriverErrors,
): Promise<void> {
  for (const table of expected) await lock(session, table, errors);
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
  const name = nameOf(table);
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
  const digests = wantsDigests ? await readDefinitions(session, oids) : new Map();
  return relations.map(([oid, relkind]) => {
    const kind = kindOfRelation(relkind);
    if (!oid || !kind) return undefined;
    const definition_digest = digests.get(oid)?.digest;
    return { kind, oid: Number(oid), definition_digest, columns: liveColumns(columns.get(oid)) };
  });
}

function nameOf({ schema, name }: TableExpectation['table']): string {
  return `${quote(schema)}.${quote(name)}`;
}

function liveColumns(raw: RawColumns | undefined): LiveTable['columns'] {
  return (raw?.names ?? []).map((name, index) => ({
    name,
    type: raw?.types[index]?.type ?? 'other',
    position: index + 1,
  }));
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Under `standard_conforming_strings`, which every session has pinned. */
function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
