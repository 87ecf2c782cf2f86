import type { TableKind } from '../../schema/model.js';
import { type CatalogColumn, sha256Hex } from '../catalog-column.js';
import type { PostgresSession } from './session.js';
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

const COLUMNS = `
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
  SELECT a.attrelid, a.attname,
    pg_catalog.row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum),
    e.typname, s.nspname, e.typtype, f.oid IS NOT NULL,
    pg_catalog.format_type(a.atttypid, a.atttypmod),
    NOT a.attnotnull, a.attgenerated <> '',
    pg_catalog.pg_get_expr(d.adbin, d.adrelid),
    pg_catalog.col_description(a.attrelid, a.attnum)
  FROM pg_catalog.pg_attribute a
  LEFT JOIN domain_base db ON db.oid = a.atttypid
  JOIN pg_catalog.pg_type t ON t.oid = COALESCE(db.base, a.atttypid)
  LEFT JOIN pg_catalog.pg_type f ON f.oid = t.typelem AND f.typarray = t.oid
  LEFT JOIN domain_base eb ON eb.oid = f.oid
  JOIN pg_catalog.pg_type e ON e.oid = COALESCE(eb.base, f.oid, t.oid)
  JOIN pg_catalog.pg_namespace s ON s.oid = e.typnamespace
  LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = ANY ($1::pg_catalog.oid[]) AND a.attnum > 0 AND NOT a.attisdropped
  ORDER BY a.attrelid, a.attnum`;

/** The live columns of tables, by the table's oid, in the order of their positions. */
export async function readColumns(
  session: PostgresSession,
  oids: readonly string[],
): Promise<Map<string, CatalogColumn[]>> {
  const tables = new Map<string, CatalogColumn[]>(oids.map((oid) => [oid, []]));
  for (const row of await session.query(COLUMNS, [oids])) {
    const [oid, name, position, typeName, typeSchema, typeKind, isArray, native] = row;
    const [nullable, generated, defaultValue = null, comment = null] = row.slice(8);
    tables.get(oid ?? '')?.push({
      name: name ?? '',
      position: Number(position),
      type: normalisePostgresType({
        name: typeName ?? '',
        schema: typeSchema ?? '',
        kind: typeKind ?? '',
        isArray: isArray === 't',
      }),
      native: native ?? '',
      nullable: nullable === 't',
      generated: generated === 't',
      default: defaultValue,
      comment,
    });
  }
  return tables;
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
 * SHA-256 (hex) of the definitions of views as PostgreSQL prints them, by oid. Where a view reads
 * other views, theirs follow its own, each after its name.
 */
export async function readDefinitionDigests(
  session: PostgresSession,
  oids: readonly string[],
): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const [root, own, schema, name, definition] of await session.query(DEFINITIONS, [oids])) {
    const before = texts.get(root ?? '') ?? '';
    const heading = own === 't' ? '' : `\n-- ${schema}.${name}\n`;
    texts.set(root ?? '', before + heading + (definition ?? ''));
  }
  return new Map([...texts].map(([oid, text]) => [oid, sha256Hex(text)]));
}
