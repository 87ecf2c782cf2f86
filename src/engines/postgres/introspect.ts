import type { ForeignKey, ScannedTable } from '../../schema/model.js';
import { scannedColumn } from '../catalog-column.js';
import type { ScanOptions } from '../contract.js';
import { tableFilter } from '../table-filter.js';
import { kindOfRelation, readColumns, readDefinitionDigests } from './catalog.js';
import type { PostgresSession } from './session.js';

// Partitions are rows of their parent. Temporary and toast schemas begin with pg_ as well.
const TABLES = `
  SELECT c.oid, n.nspname, c.relname, c.relkind
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
    AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
  ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`;

// Only keys that hold for every row a query can see: a parent that others inherit from returns their
// rows as well, which its own indexes do not cover.
const KEYS = `
  SELECT i.indrelid, i.indisprimary,
    (SELECT pg_catalog.json_agg(a.attname ORDER BY k.place)
     FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY k (attnum, place)
     JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
     WHERE k.place <= i.indnkeyatts)
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
  JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
  WHERE i.indrelid = ANY ($1::pg_catalog.oid[])
    AND i.indisunique AND i.indisvalid AND NOT i.indisexclusion
    AND i.indpred IS NULL AND i.indexprs IS NULL
    AND NOT EXISTS (
      SELECT FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY k (attnum, place)
      JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
      WHERE k.place <= i.indnkeyatts AND NOT a.attnotnull)
    AND (c.relkind = 'p' OR NOT EXISTS (
      SELECT FROM pg_catalog.pg_inherits h WHERE h.inhparent = c.oid))
  ORDER BY i.indrelid, x.relname COLLATE "C"`;

const FOREIGN_KEYS = `
  SELECT f.conrelid, n.nspname, r.relname,
    (SELECT pg_catalog.json_agg(a.attname ORDER BY k.place)
     FROM pg_catalog.unnest(f.conkey) WITH ORDINALITY k (attnum, place)
     JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.attnum),
    (SELECT pg_catalog.json_agg(a.attname ORDER BY k.place)
     FROM pg_catalog.unnest(f.confkey) WITH ORDINALITY k (attnum, place)
     JOIN pg_catalog.pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.attnum)
  FROM pg_catalog.pg_constraint f
  JOIN pg_catalog.pg_class r ON r.oid = f.confrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
  WHERE f.contype = 'f' AND f.conrelid = ANY ($1::pg_catalog.oid[])
  ORDER BY f.conrelid, f.conname COLLATE "C"`;

interface Keys {
  primary: readonly string[];
  unique: (readonly string[])[];
}

/** Reads every table, view, materialised view and foreign table outside the system schemas. */
export async function readTables(
  session: PostgresSession,
  options: ScanOptions,
): Promise<ScannedTable[]> {
  const covers = tableFilter(options);
  const rows = (await session.query(TABLES)).filter(([, schema, name]) =>
    covers(schema ?? '', name ?? ''),
  );
  const oids = rows.map(([oid]) => oid ?? '');
  const columns = await readColumns(session, oids);
  const definitions = await readDefinitionDigests(session, oids);
  const keys = await readKeys(session, oids);
  const foreignKeys = await readForeignKeys(session, oids);

  return rows.flatMap(([id, schema, name, relkind]) => {
    const oid = id ?? '';
    const kind = kindOfRelation(relkind);
    if (!kind) return [];
    const digest = definitions.get(oid);
    return {
      table: { schema: schema ?? '', name: name ?? '', oid: Number(oid) },
      kind,
      primary_key: keys.get(oid)?.primary ?? [],
      unique_keys: keys.get(oid)?.unique ?? [],
      foreign_keys: foreignKeys.get(oid) ?? [],
      ...(digest === undefined ? {} : { definition_digest: digest }),
      columns: (columns.get(oid) ?? []).map(scannedColumn),
    };
  });
}

async function readKeys(
  session: PostgresSession,
  oids: readonly string[],
): Promise<Map<string, Keys>> {
  const tables = new Map<string, Keys>();
  for (const [id, isPrimary, names] of await session.query(KEYS, [oids])) {
    const keys = tables.get(id ?? '') ?? { primary: [], unique: [] };
    if (isPrimary === 't') keys.primary = nameList(names);
    else keys.unique.push(nameList(names));
    tables.set(id ?? '', keys);
  }
  return tables;
}

async function readForeignKeys(
  session: PostgresSession,
  oids: readonly string[],
): Promise<Map<string, ForeignKey[]>> {
  const tables = new Map<string, ForeignKey[]>();
  for (const row of await session.query(FOREIGN_KEYS, [oids])) {
    const [id, schema, table, own, theirs] = row;
    const keys = tables.get(id ?? '') ?? [];
    keys.push({
      columns: nameList(own),
      references: { schema: schema ?? '', table: table ?? '', columns: nameList(theirs) },
    });
    tables.set(id ?? '', keys);
  }
  return tables;
}

/** The names in a JSON array, as the queries above aggregate them. */
function nameList(json: string | null | undefined): string[] {
  const names: unknown = JSON.parse(json ?? '[]');
  return Array.isArray(names) ? names.map(String) : [];
}
