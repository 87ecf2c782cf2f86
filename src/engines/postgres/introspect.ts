import type { ForeignKey, ScannedColumn, ScannedTable } from '../../schema/model.js';
import { scannedColumn, scannedDefinition } from '../catalog-column.js';
import type { ScanOptions } from '../contract.js';
import { tableFilter } from '../table-filter.js';
import {
  kindOfRelation,
  type RawColumns,
  readColumns,
  readColumnsBeside,
  readComments,
  readDefaults,
  readDefinitions,
  readGeneratedFrom,
  readViewReads,
} from './catalog.js';
import type { PostgresSession } from './session.js';

// Partitions are rows of their parent. Temporary and toast schemas begin with pg_ as well.
const TABLES = `
  SELECT c.oid, n.nspname, c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
    AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
  ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`;

// Only keys that hold for every row a query can see: a parent that others inherit from returns their
// rows as well, which its own indexes do not cover.
const KEYS = `
  SELECT i.indrelid, i.indisprimary, i.indkey, i.indnkeyatts
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
  JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
  WHERE i.indrelid = ANY ($1::pg_catalog.oid[])
    AND i.indisunique AND i.indisvalid AND NOT i.indisexclusion
    AND i.indpred IS NULL AND i.indexprs IS NULL
    AND (c.relkind = 'p' OR i.indrelid NOT IN (SELECT h.inhparent FROM pg_catalog.pg_inherits h))
  ORDER BY i.indrelid, x.relname COLLATE "C"`;

const FOREIGN_KEYS = `
  SELECT f.conrelid, f.confrelid, n.nspname, r.relname,
    pg_catalog.array_to_string(f.conkey, ' '), pg_catalog.array_to_string(f.confkey, ' ')
  FROM pg_catalog.pg_constraint f
  JOIN pg_catalog.pg_class r ON r.oid = f.confrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
  WHERE f.contype = 'f' AND f.conrelid = ANY ($1::pg_catalog.oid[])
  ORDER BY f.conrelid, f.conname COLLATE "C"`;

interface Keys {
  primary: readonly string[];
  unique: (readonly string[])[];
}

type Columns = ReadonlyMap<string, RawColumns>;

/**
 * Reads every table, view, materialised view and foreign table outside the system schemas. What the catalog says by number
 * (columns of keys, types) is put together here: of ten thousand tables, the database takes several times as long for it.
 */
export async function readTables(
  session: PostgresSession,
  options: ScanOptions,
): Promise<ScannedTable[]> {
  const covers = tableFilter(options);
  const rows = (await session.query(TABLES)).filter(([, schema, name]) =>
    covers(schema ?? '', name ?? ''),
  );
  const oids = rows.map(([oid]) => oid ?? '');
  const read = await readColumnsBeside(session, oids, () => readDefaults(session, oids));
  const { columns, other: defaults } = read;
  const comments = await readComments(session, oids);
  const definitions = await readDefinitions(session, oids);
  const keys = await readKeys(session, oids, columns);
  const foreignKeys = await readForeignKeys(session, oids, columns);
  const withGenerated = oids.filter((oid) => columns.get(oid)?.generated.includes(true));
  const generatedFrom = await readGeneratedFrom(session, withGenerated);
  const views = rows.filter(([, , , relkind]) => relkind === 'v' || relkind === 'm');
  const reads = await readViewReads(
    session,
    views.map(([oid]) => oid ?? ''),
  );

  return rows.flatMap(([id, schema, name, relkind, isSecured, isForced]) => {
    const oid = id ?? '';
    const kind = kindOfRelation(relkind);
    if (!kind) return [];
    return {
      table: { schema: schema ?? '', name: name ?? '', oid: Number(oid) },
      kind,
      primary_key: keys.get(oid)?.primary ?? [],
      unique_keys: keys.get(oid)?.unique ?? [],
      foreign_keys: foreignKeys.get(oid) ?? [],
      ...scannedDefinition(definitions.get(oid), options.withDefinitions),
      ...(isSecured === 't' && { row_security: isForced === 't' ? 'forced' : 'enabled' }),
      ...(reads.has(oid) ? { reads: reads.get(oid) ?? [] } : {}),
      columns: withOrigins(
        scannedColumns(columns.get(oid), defaults.get(oid), comments.get(oid), options),
        { schema: schema ?? '', table: name ?? '' },
        columns.get(oid),
        generatedFrom.get(oid),
      ),
    };
  });
}

function scannedColumns(
  columns: RawColumns | undefined,
  defaults: ReadonlyMap<number, string> | undefined,
  comments: ReadonlyMap<number, string> | undefined,
  { withDefinitions }: ScanOptions,
): ScannedColumn[] {
  if (columns === undefined) return [];
  const { names, numbers, types, notNull, generated } = columns;
  return names.map((name, index) => {
    const number = numbers[index] ?? 0;
    const column = {
      name,
      position: index + 1,
      number,
      type: types[index]?.type ?? 'other',
      native: types[index]?.native ?? '',
      nullable: notNull[index] !== true,
      generated: generated[index] === true,
      default: defaults?.get(number) ?? null,
      comment: comments?.get(number) ?? null,
    };
    return scannedColumn(column, withDefinitions);
  });
}

function withOrigins(
  scanned: ScannedColumn[],
  place: { schema: string; table: string },
  raw: RawColumns | undefined,
  generatedFrom: ReadonlyMap<number, readonly number[]> | undefined,
): ScannedColumn[] {
  for (const [number, from] of generatedFrom ?? []) {
    const column = scanned[raw?.numbers.indexOf(number) ?? -1];
    if (column?.generated !== true) continue;
    const names = from.map((one) => raw?.names[raw.numbers.indexOf(one)] ?? '');
    column.origins = names.map((name) => ({ ...place, column: name }));
  }
  return scanned;
}

async function readKeys(
  session: PostgresSession,
  oids: readonly string[],
  columns: Columns,
): Promise<Map<string, Keys>> {
  const tables = new Map<string, Keys>();
  for (const [id, isPrimary, numbers, count] of await session.query(KEYS, [oids])) {
    const raw = columns.get(id ?? '');
    // What is merely included in an index comes after its key.
    const places = placesOf(raw, numbers).slice(0, Number(count));
    if (raw === undefined || places.some((place) => raw.notNull[place] !== true)) continue;
    const names = places.map((place) => raw.names[place] ?? '');
    const keys = tables.get(id ?? '') ?? { primary: [], unique: [] };
    if (isPrimary === 't') keys.primary = names;
    else keys.unique.push(names);
    tables.set(id ?? '', keys);
  }
  return tables;
}

async function readForeignKeys(
  session: PostgresSession,
  oids: readonly string[],
  columns: Columns,
): Promise<Map<string, ForeignKey[]>> {
  const rows = await session.query(FOREIGN_KEYS, [oids]);
  const outside = new Set(rows.map(([, id]) => id ?? '').filter((id) => !columns.has(id)));
  // A table that is referred to may be one that the scan leaves out.
  const others = outside.size === 0 ? columns : await readColumns(session, [...outside]);
  const tables = new Map<string, ForeignKey[]>();
  for (const [id, target, schema, table, own, theirs] of rows) {
    const keys = tables.get(id ?? '') ?? [];
    keys.push({
      columns: namesOf(columns.get(id ?? ''), own),
      references: {
        schema: schema ?? '',
        table: table ?? '',
        columns: namesOf(columns.get(target ?? '') ?? others.get(target ?? ''), theirs),
      },
    });
    tables.set(id ?? '', keys);
  }
  return tables;
}

/** Where columns stand, by their numbers as PostgreSQL lists them: `1 4`. */
function placesOf(columns: RawColumns | undefined, numbers: string | null = ''): number[] {
  const texts = (numbers ?? '').split(' ').filter((text) => text !== '');
  return texts.map((text) => columns?.numbers.indexOf(Number(text)) ?? -1);
}

function namesOf(columns: RawColumns | undefined, numbers: string | null = ''): string[] {
  return placesOf(columns, numbers).map((place) => columns?.names[place] ?? '');
}
