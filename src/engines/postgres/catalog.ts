import type { ColumnOrigin, TableKind } from '../../schema/model.js';
import { sha256Hex, type ViewDefinition } from '../catalog-column.js';
import { decodeArray } from './decode-array.js';
import type { PostgresSession, TextRow } from './session.js';
import { normalisePostgresType } from './type.js';

const KINDS: Readonly<Record<string, TableKind>> = {
  r: 'table',
  p: 'table',
  v: 'view',
  m: 'materialized_view',
  f: 'foreign_table',
};

/** The kind of a `pg_class.relkind`; `undefined` for what is no dataset (an index, a sequence). */
export function kindOfRelation(relkind: string | null | undefined): TableKind | undefined {
  return relkind && Object.hasOwn(KINDS, relkind) ? KINDS[relkind] : undefined;
}

// One row per table: two hundred thousand rows take several times as long. In the order of the aggregates, which is none.
const COLUMNS = `
  SELECT a.attrelid, pg_catalog.array_agg(a.attname), pg_catalog.array_agg(a.attnum),
    pg_catalog.array_agg(a.atttypid), pg_catalog.array_agg(a.atttypmod),
    pg_catalog.array_agg(a.attnotnull), pg_catalog.array_agg(a.attgenerated <> '')
  FROM pg_catalog.pg_attribute a
  WHERE a.attrelid = ANY ($1::pg_catalog.oid[]) AND a.attnum > 0 AND NOT a.attisdropped
  GROUP BY a.attrelid`;

/** The live columns of a table as the catalog numbers them, in that order; of a type, its place among all that were read. */
export interface RawColumns {
  names: readonly string[];
  numbers: readonly number[];
  types: readonly CatalogColumnType[];
  notNull: readonly boolean[];
  generated: readonly boolean[];
}

/** A column's type: the name `FIELD_TYPES` has for it, and PostgreSQL's own. */
export interface CatalogColumnType {
  type: string;
  native: string;
}

/** The live columns of tables, by the table's oid. */
export async function readColumns(
  session: PostgresSession,
  oids: readonly string[],
): Promise<Map<string, RawColumns>> {
  return (await readColumnsBeside(session, oids, async () => undefined)).columns;
}

/** The live columns of tables, and what else is read: the database works on that while its answer about columns is put in order. */
export async function readColumnsBeside<T>(
  session: PostgresSession,
  oids: readonly string[],
  readOther: () => Promise<T>,
): Promise<{ columns: Map<string, RawColumns>; other: T }> {
  const rows = await session.query(COLUMNS, [oids]);
  const reading = readOther();
  // Whoever waits for it below hears of a failure; nobody does where the rows cannot be read.
  reading.catch(() => undefined);
  const { columns, types } = columnsOf(rows, oids);
  const other = await reading;
  await readTypes(session, types);
  return { columns, other };
}

function columnsOf(rows: readonly TextRow[], oids: readonly string[]) {
  const types = new Map<string, CatalogColumnType>();
  const tables = new Map<string, RawColumns>();
  for (const [oid, ...lists] of rows) {
    const [names, numbers, typeIds, modifiers, notNull, generated] = lists.map(textsOfArray);
    const places = placesInOrder(numbers ?? []);
    const columns = {
      names: Array<string>(places.length),
      numbers: Array<number>(places.length),
      types: Array<CatalogColumnType>(places.length),
      notNull: Array<boolean>(places.length),
      generated: Array<boolean>(places.length),
    };
    for (const [index, place] of places.entries()) {
      columns.names[index] = names?.[place] ?? '';
      columns.numbers[index] = Number(numbers?.[place]);
      columns.notNull[index] = notNull?.[place] === 't';
      columns.generated[index] = generated?.[place] === 't';
      const key = `${typeIds?.[place]},${modifiers?.[place]}`;
      // Filled in below: a database has few types.
      const type = types.get(key) ?? { type: 'other', native: '' };
      types.set(key, type);
      columns.types[index] = type;
    }
    tables.set(oid ?? '', columns);
  }
  for (const oid of oids) if (!tables.has(oid)) tables.set(oid, NO_COLUMNS);
  return { columns: tables, types };
}

const NO_COLUMNS: RawColumns = { names: [], numbers: [], types: [], notNull: [], generated: [] };

/** Where in their list the numbers stand, from the smallest to the greatest: columns have small ones, and each but one. */
function placesInOrder(numbers: readonly string[]): number[] {
  const places: number[] = [];
  for (const [place, number] of numbers.entries()) places[Number(number)] = place;
  return places.filter((place) => place !== undefined);
}

/** An array of names or numbers, none of them NULL, as `array_agg` makes it. */
function textsOfArray(text: string | null): readonly string[] {
  if (text === null || text === '{}') return [];
  // What is quoted or escaped is written with one of these.
  if (!/["\\]/.test(text)) return text.slice(1, -1).split(',');
  return (decodeArray(text) ?? []).map((item) => (typeof item === 'string' ? item : ''));
}

const TYPES = `
  WITH RECURSIVE domain_chain (oid, base) AS (
    SELECT oid, typbasetype FROM pg_catalog.pg_type WHERE typtype = 'd'
    UNION
    SELECT chain.oid, next.typbasetype
    FROM domain_chain chain JOIN pg_catalog.pg_type next ON next.oid = chain.base
    WHERE next.typtype = 'd'
  ), domain_base AS (
    SELECT chain.oid, chain.base
    FROM domain_chain chain JOIN pg_catalog.pg_type last ON last.oid = chain.base
    WHERE last.typtype <> 'd'
  )
  SELECT w.type, w.modifier, e.typname, s.nspname, e.typtype, f.oid IS NOT NULL,
    pg_catalog.format_type(w.type, w.modifier)
  FROM ROWS FROM (
    pg_catalog.unnest($1::pg_catalog.oid[]), pg_catalog.unnest($2::pg_catalog.int4[])
  ) w (type, modifier)
  LEFT JOIN domain_base db ON db.oid = w.type
  JOIN pg_catalog.pg_type t ON t.oid = COALESCE(db.base, w.type)
  LEFT JOIN pg_catalog.pg_type f ON f.oid = t.typelem AND f.typarray = t.oid
  LEFT JOIN domain_base eb ON eb.oid = f.oid
  JOIN pg_catalog.pg_type e ON e.oid = COALESCE(eb.base, f.oid, t.oid)
  JOIN pg_catalog.pg_namespace s ON s.oid = e.typnamespace`;

/** Fills in what types are, by their oid and modifier. */
async function readTypes(
  session: PostgresSession,
  types: ReadonlyMap<string, CatalogColumnType>,
): Promise<void> {
  if (types.size === 0) return;
  const keys = [...types.keys()].map((key) => key.split(','));
  const values = [0, 1].map((place) => keys.map((key) => key[place] ?? ''));
  for (const [oid, modifier, name, schema, kind, isArray, native] of await session.query(
    TYPES,
    values,
  )) {
    const type = types.get(`${oid},${modifier}`);
    if (type === undefined) continue;
    type.type = normalisePostgresType({
      name: name ?? '',
      schema: schema ?? '',
      kind: kind ?? '',
      isArray: isArray === 't',
    });
    type.native = native ?? '';
  }
}

const DEFAULTS = `
  SELECT d.adrelid, d.adnum, pg_catalog.pg_get_expr(d.adbin, d.adrelid)
  FROM pg_catalog.pg_attrdef d WHERE d.adrelid = ANY ($1::pg_catalog.oid[])`;

const COMMENTS = `
  SELECT d.objoid, d.objsubid, d.description
  FROM pg_catalog.pg_description d
  WHERE d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objsubid > 0
    AND d.objoid = ANY ($1::pg_catalog.oid[])`;

/** Texts of the columns of tables, by the table's oid and the column's number. */
export type ColumnTexts = ReadonlyMap<string, ReadonlyMap<number, string>>;

/** The defaults of columns as PostgreSQL prints them, or the expression of a generated one. */
export function readDefaults(
  session: PostgresSession,
  oids: readonly string[],
): Promise<ColumnTexts> {
  return readTexts(session, DEFAULTS, oids);
}

/** The comments on columns. */
export function readComments(
  session: PostgresSession,
  oids: readonly string[],
): Promise<ColumnTexts> {
  return readTexts(session, COMMENTS, oids);
}

async function readTexts(
  session: PostgresSession,
  sql: string,
  oids: readonly string[],
): Promise<ColumnTexts> {
  const tables = new Map<string, Map<number, string>>();
  for (const [oid, number, text] of await session.query(sql, [oids])) {
    if (!oid || text === null || text === undefined) continue;
    const texts = tables.get(oid);
    if (texts === undefined) tables.set(oid, new Map([[Number(number), text]]));
    else texts.set(Number(number), text);
  }
  return tables;
}

// Up to PostgreSQL 14 some are recorded as of the column, later ones as of its expression.
const GENERATED_FROM = `
  SELECT ad.adrelid, ad.adnum, d.refobjsubid
  FROM pg_catalog.pg_attrdef ad
  JOIN pg_catalog.pg_depend d
    ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = ad.adrelid
    AND d.refobjsubid > 0 AND d.refobjsubid <> ad.adnum
    AND ((d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = ad.oid)
      OR (d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.objid = ad.adrelid AND d.objsubid = ad.adnum))
  WHERE ad.adrelid = ANY ($1::pg_catalog.oid[])
  ORDER BY 1, 2, 3`;

/** The numbers of the columns that generated ones are made of, by the table's oid and the column's number. */
export async function readGeneratedFrom(
  session: PostgresSession,
  oids: readonly string[],
): Promise<Map<string, Map<number, number[]>>> {
  const tables = new Map<string, Map<number, number[]>>();
  if (oids.length === 0) return tables;
  for (const [oid, number, from] of await session.query(GENERATED_FROM, [oids])) {
    const columns = tables.get(oid ?? '') ?? new Map<number, number[]>();
    tables.set(oid ?? '', columns);
    columns.set(Number(number), [...(columns.get(Number(number)) ?? []), Number(from)]);
  }
  return tables;
}

const VIEW_READS = `
  SELECT DISTINCT r.ev_class, n.nspname, c.relname, a.attname
  FROM pg_catalog.pg_rewrite r
  JOIN pg_catalog.pg_depend d
    ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid
    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjsubid > 0
  JOIN pg_catalog.pg_class c ON c.oid = d.refobjid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
  WHERE r.ev_class = ANY ($1::pg_catalog.oid[]) AND d.refobjid <> r.ev_class
  ORDER BY 1, 2, 3, 4`;

/** The columns that views read, by the view's oid: which of its own show which, the catalog does not say. */
export async function readViewReads(
  session: PostgresSession,
  oids: readonly string[],
): Promise<Map<string, ColumnOrigin[]>> {
  const views = new Map<string, ColumnOrigin[]>();
  if (oids.length === 0) return views;
  for (const [oid, schema, table, column] of await session.query(VIEW_READS, [oids])) {
    const reads = views.get(oid ?? '') ?? [];
    views.set(oid ?? '', reads);
    reads.push({ schema: schema ?? '', table: table ?? '', column: column ?? '' });
  }
  return views;
}

// A view can mean something else because a view below it does: `pg_rewrite` knows what each reads.
const DEFINITIONS = `
  WITH RECURSIVE reads (root, oid) AS (
    SELECT c.oid, c.oid FROM pg_catalog.pg_class c
    WHERE c.oid = ANY ($1::pg_catalog.oid[]) AND c.relkind IN ('v', 'm')
    UNION
    SELECT reads.root, below.oid
    FROM reads
    JOIN pg_catalog.pg_rewrite r ON r.ev_class = reads.oid
    JOIN pg_catalog.pg_depend d
      ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = r.oid
      AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
    JOIN pg_catalog.pg_class below ON below.oid = d.refobjid AND below.relkind IN ('v', 'm')
  )
  SELECT reads.root, reads.oid = reads.root, n.nspname, c.relname,
    pg_catalog.pg_get_viewdef(reads.oid)
  FROM reads
  JOIN pg_catalog.pg_class c ON c.oid = reads.oid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  ORDER BY reads.root, reads.oid <> reads.root, n.nspname COLLATE "C", c.relname COLLATE "C"`;

/**
 * The definitions of views as PostgreSQL prints them, by oid. Where a view reads other views, theirs follow its own in the
 * digest, each after its name.
 */
export async function readDefinitions(
  session: PostgresSession,
  oids: readonly string[],
): Promise<Map<string, ViewDefinition>> {
  const texts = new Map<string, string>();
  const own = new Map<string, string>();
  for (const [root, isOwn, schema, name, definition] of await session.query(DEFINITIONS, [oids])) {
    const before = texts.get(root ?? '') ?? '';
    const heading = isOwn === 't' ? '' : `\n-- ${schema}.${name}\n`;
    if (isOwn === 't') own.set(root ?? '', definition ?? '');
    texts.set(root ?? '', before + heading + (definition ?? ''));
  }
  return new Map(
    [...texts].map(([oid, text]) => [oid, { digest: sha256Hex(text), text: own.get(oid) ?? '' }]),
  );
}
