import { createHash } from 'node:crypto';
import type { ColumnOrigin, ForeignKey, ScannedColumn, ScannedTable } from '../../schema/model.js';
import { type Database, readRows, type StoredValue } from './database.js';
import { normaliseSqliteType } from './type.js';

/** The one schema of a file, as SQLite names it. */
export const MAIN_SCHEMA = 'main';

/** More views and tables than read one another in any schema. */
const REACHED_MAX = 1_000;

const WORD = /[\p{L}\p{N}_$]+/gu;

/** A name that `PRAGMA table_list` has and its facts; virtual and shadow tables are left out. */
interface Relation {
  name: string;
  kind: 'table' | 'view';
  hasNotNullKey: boolean;
}

// The tables of extensions run code of theirs when they are read, and shadow tables are their insides.
const RELATIONS = `
  SELECT name, type, wr, strict FROM pragma_table_list
  WHERE schema = 'main' AND type IN ('table', 'view')
    AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
  ORDER BY name COLLATE BINARY`;

/** Every table and view of the file that SQLite did not make for itself, as far as `covers` says. */
export function readTables(
  database: Database,
  covers: (schema: string, name: string) => boolean,
  withDefinitions = false,
): ScannedTable[] {
  const relations = readRelations(database);
  const below = readBelow(database, relations);
  return relations
    .filter(({ name }) => covers(MAIN_SCHEMA, name))
    .map((relation) => readTable(database, relation, { below, withDefinitions }));
}

/** One table or view by its exact name; `undefined` where there is none. */
export function findTable(database: Database, name: string): ScannedTable | undefined {
  const relations = readRelations(database);
  const relation = relations.find((candidate) => candidate.name === name);
  const below = readBelow(database, relations);
  return relation && readTable(database, relation, { below, withDefinitions: false });
}

function readRelations(database: Database): Relation[] {
  const relations = readRows(database, RELATIONS).map(
    ([name, type, withoutRowid, strict]): Relation => ({
      name: String(name),
      kind: type === 'view' ? 'view' : 'table',
      hasNotNullKey: withoutRowid === 1n || strict === 1n,
    }),
  );
  return relations.filter(({ kind, name }) => kind === 'table' || isSound(database, name));
}

/** `SQLITE_ERROR`: the statement itself is at fault. */
const SQL_ERROR = 1;

/** Whether a view can be read. One whose tables are gone stands in the file and shows nothing: it is as if it were not there. */
function isSound(database: Database, view: string): boolean {
  try {
    database.prepare(selectAll(view));
    return true;
  } catch (error) {
    if (Object(error).errcode !== SQL_ERROR) throw error;
    return false;
  }
}

function selectAll(name: string): string {
  return `SELECT * FROM main."${name.replaceAll('"', '""')}"`;
}

function readTable(
  database: Database,
  relation: Relation,
  { below, withDefinitions }: { below: Below; withDefinitions: boolean },
): ScannedTable {
  const { name, kind } = relation;
  const rows = readColumns(database, name);
  const keys = readKeys(database, relation, rows);
  const origins = kind === 'view' ? originsOfView(database, name, rows.length) : [];
  return {
    table: { schema: MAIN_SCHEMA, name },
    kind,
    primary_key: keys.primary,
    unique_keys: keys.unique,
    foreign_keys: readForeignKeys(database, name),
    ...(kind === 'view' ? viewDefinition(name, below, withDefinitions) : {}),
    columns: rows.map((row, index) => ({
      ...scannedColumn(row, index + 1, keys.primary),
      ...(withDefinitions && row[3] !== null ? { texts: { default: String(row[3]) } } : {}),
      ...origins[index],
    })),
  };
}

function viewDefinition(name: string, below: Below, withDefinitions: boolean) {
  const text = below.views.get(name.toLowerCase()) ?? '';
  return {
    definition_digest: viewDigest(name, below),
    ...(withDefinitions ? { definition: text } : {}),
  };
}

/**
 * Where the columns of a view come from, as SQLite tells without running it. Of a compound SELECT it tells one part alone,
 * so that a column may come from others too; of an expression nothing.
 */
function originsOfView(
  database: Database,
  name: string,
  count: number,
): { origins?: ColumnOrigin[] }[] {
  const columns = database.prepare(selectAll(name)).columns?.() ?? [];
  if (columns.length !== count) return [];
  return columns.map(({ database: file, table, column }) =>
    file !== MAIN_SCHEMA || table === null || column === null
      ? {}
      : { origins: [{ schema: MAIN_SCHEMA, table, column }] },
  );
}

function readColumns(database: Database, name: string): StoredValue[][] {
  // Hidden columns (1) are arguments of virtual tables; 2 and 3 are generated ones.
  return readRows(
    database,
    `SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?, 'main')
     WHERE hidden <> 1 ORDER BY cid`,
    name,
  );
}

function scannedColumn(
  row: readonly StoredValue[],
  position: number,
  primaryKey: readonly string[],
): ScannedColumn {
  const [name, type, notNull, defaultValue, , hidden] = row;
  return {
    name: String(name),
    type: normaliseSqliteType(String(type ?? '')),
    native: String(type ?? ''),
    position,
    nullable: notNull !== 1n && !primaryKey.includes(String(name)),
    ...(hidden === 2n || hidden === 3n ? { generated: true } : {}),
    ...(defaultValue === null ? {} : { default_digest: sha256Hex(String(defaultValue)) }),
  };
}

/**
 * The keys that no two rows share. SQLite lets NULL into the primary key of an ordinary table, any
 * number of times: such a key orders nothing and is not reported.
 */
function readKeys(
  database: Database,
  { name, hasNotNullKey }: Relation,
  columns: readonly (readonly StoredValue[])[],
): { primary: readonly string[]; unique: readonly (readonly string[])[] } {
  const notNull = new Set(columns.filter((row) => row[2] === 1n).map((row) => String(row[0])));
  const primary = columns
    .filter((row) => Number(row[4]) > 0)
    .sort((a, b) => Number(a[4]) - Number(b[4]))
    .map((row) => String(row[0]));
  const indexes = readRows(
    database,
    `SELECT name, origin FROM pragma_index_list(?, 'main') WHERE "unique" = 1 AND partial = 0
     ORDER BY name COLLATE BINARY`,
    name,
  );
  // A key without an index is the rowid itself, which is never NULL.
  const isRowid = primary.length === 1 && !indexes.some(([, origin]) => origin === 'pk');
  const isNotNull = hasNotNullKey || isRowid || primary.every((column) => notNull.has(column));
  const unique = indexes
    .filter(([, origin]) => origin !== 'pk')
    .map(([index]) => indexColumns(database, String(index)))
    .filter((names) => names.every((column) => column !== null && notNull.has(column)))
    .map((names) => names.map(String));
  return { primary: isNotNull ? primary : [], unique };
}

/** The columns of an index in their order; an expression is null. */
function indexColumns(database: Database, index: string): (string | null)[] {
  return readRows(
    database,
    "SELECT name FROM pragma_index_info(?, 'main') ORDER BY seqno",
    index,
  ).map(([name]) => (typeof name === 'string' ? name : null));
}

function readForeignKeys(database: Database, name: string): ForeignKey[] {
  const keys = new Map<StoredValue, { table: string; from: string[]; to: StoredValue[] }>();
  const rows = readRows(
    database,
    `SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?, 'main') ORDER BY id, seq`,
    name,
  );
  for (const [id = null, table, from, to = null] of rows) {
    const key = keys.get(id) ?? { table: String(table), from: [], to: [] };
    key.from.push(String(from));
    key.to.push(to);
    keys.set(id, key);
  }
  return [...keys.values()].map(({ table, from, to }) => ({
    columns: from,
    references: { schema: MAIN_SCHEMA, table, columns: referenced(database, table, to) },
  }));
}

/** A reference without columns means the primary key of the table it names. */
function referenced(database: Database, table: string, to: readonly StoredValue[]): string[] {
  if (to.every((column) => column !== null)) return to.map(String);
  return readRows(
    database,
    "SELECT name FROM pragma_table_xinfo(?, 'main') WHERE pk > 0 ORDER BY pk",
    table,
  ).map(([name]) => String(name));
}

/** What a view can stand on, by its name in lower case: SQLite's names ignore the case of ASCII. */
interface Below {
  /** The SQL of each view. */
  views: ReadonlyMap<string, string>;
  tables: ReadonlySet<string>;
  columns(table: string): readonly { name: string; type: string }[];
}

function readBelow(database: Database, relations: readonly Relation[]): Below {
  const rows = readRows(
    database,
    "SELECT name, sql FROM main.sqlite_schema WHERE type = 'view' ORDER BY name",
  );
  const tables = relations.filter(({ kind }) => kind === 'table').map(({ name }) => name);
  return {
    views: new Map(rows.map(([name, sql]) => [String(name).toLowerCase(), String(sql)])),
    tables: new Set(tables.map((name) => name.toLowerCase())),
    columns: (table) =>
      readColumns(database, table).map(([name, type]) => ({
        name: String(name),
        type: normaliseSqliteType(String(type ?? '')),
      })),
  };
}

/**
 * SHA-256 (hex) of a view's SQL as the file has it, followed by that of the views whose names occur
 * in it, and in theirs: a view means something else when one below it does. It stands on the names of
 * columns and not on columns: of the tables below it follow those that are named, with their types and
 * positions. SQLite does not record what a view reads; a name that is only mentioned counts as read.
 */
function viewDigest(name: string, below: Below): string {
  const own = name.toLowerCase();
  const reached = new Set([own]);
  const tables = new Set<string>();
  for (const view of reached) {
    if (reached.size > REACHED_MAX) break;
    const text = below.views.get(view)?.toLowerCase() ?? '';
    for (const other of below.views.keys()) if (mentions(text, other)) reached.add(other);
    for (const table of below.tables) if (mentions(text, table)) tables.add(table);
  }
  const texts = [...reached].map((view) => below.views.get(view)?.toLowerCase() ?? '');
  const others = [...reached].filter((view) => view !== own).sort();
  const parts = [
    ...others.map((view) => `\n-- ${view}\n${below.views.get(view)}`),
    ...[...tables].sort().map((table) => columnsText(table, below.columns(table), texts)),
  ];
  return sha256Hex([below.views.get(own), ...parts].join(''));
}

/** The columns that views name; a column that none names can come and go, unless they read what there is. */
function columnsText(
  table: string,
  columns: readonly { name: string; type: string }[],
  texts: readonly string[],
): string {
  const isUnnamed = texts.some((text) => text.includes('*') || mentions(text, 'natural'));
  const lines = columns.flatMap(({ name, type }, index) => {
    const isRead = isUnnamed || texts.some((text) => mentions(text, name.toLowerCase()));
    return isRead ? [`${index + 1} ${name} ${type}\n`] : [];
  });
  return `\n-- ${table}\n${lines.join('')}`;
}

/** A name of one word is looked for among the words, any other one anywhere. */
function mentions(text: string, name: string): boolean {
  if (!text.includes(name)) return false;
  if (name.match(WORD)?.[0] !== name) return true;
  return text.match(WORD)?.some((word) => word === name) ?? false;
}

function sha256Hex(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
