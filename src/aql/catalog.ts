import type { Bundle, BundleDataset, BundleField } from '../bundle/model.js';
import { type FieldKind, kindOfType } from '../schema/field-type.js';
import type { TableIdentity, TableKind } from '../schema/model.js';

export interface CatalogField {
  name: string;
  type: string;
  kind: FieldKind;
  /** 1-based among the live columns at the reviewed scan. */
  position?: number;
  nullable?: boolean;
  /** Chooses the key under which the field's values are tokenized. */
  classification?: string;
}

/** One dataset of the bundle's registry, as queries look at it. */
export interface CatalogDataset {
  /** The registry key. */
  name: string;
  datasource: string;
  table: TableIdentity;
  kind?: TableKind;
  definitionDigest?: string;
  primaryKey: readonly string[];
  uniqueKeys: readonly (readonly string[])[];
  /** In the order of their positions; those without one come last, by name. */
  fields: readonly CatalogField[];
  /** A field by its name: exactly, else in any case where that is unambiguous. */
  field(name: string): CatalogField | undefined;
}

export interface Catalog {
  /** A dataset by its registry key: exactly, else in any case where that is unambiguous. */
  dataset(name: string): CatalogDataset | undefined;
}

/** The registry of a bundle, ready for lookups by name. */
export function createCatalog(bundle: Pick<Bundle, 'registry'>): Catalog {
  const find = lookup(bundle.registry.datasets.map(toCatalogDataset));
  return { dataset: find };
}

function toCatalogDataset(dataset: BundleDataset): CatalogDataset {
  const fields = dataset.fields.map(toCatalogField).sort(byPosition);
  return {
    name: dataset.name,
    datasource: dataset.datasource,
    table: dataset.table,
    ...(dataset.kind !== undefined && { kind: dataset.kind }),
    ...(dataset.definition_digest !== undefined && {
      definitionDigest: dataset.definition_digest,
    }),
    primaryKey: dataset.primary_key ?? [],
    uniqueKeys: dataset.unique_keys ?? [],
    fields,
    field: lookup(fields),
  };
}

function toCatalogField(field: BundleField): CatalogField {
  return {
    name: field.name,
    type: field.type,
    kind: kindOfType(field.type),
    ...(field.position !== undefined && { position: field.position }),
    ...(field.nullable !== undefined && { nullable: field.nullable }),
    ...(field.classification != null && { classification: field.classification }),
  };
}

function byPosition(left: CatalogField, right: CatalogField): number {
  const last = Number.MAX_SAFE_INTEGER;
  const difference = (left.position ?? last) - (right.position ?? last);
  if (difference !== 0) return difference;
  return left.name < right.name ? -1 : 1;
}

/** Finds by exact name, else by the name in any case; a name that stands for two entries finds neither. */
function lookup<Entry extends { name: string }>(
  entries: readonly Entry[],
): (name: string) => Entry | undefined {
  const exact = new Map<string, Entry | null>();
  const anyCase = new Map<string, Entry | null>();
  for (const entry of entries) {
    const lower = entry.name.toLowerCase();
    exact.set(entry.name, exact.has(entry.name) ? null : entry);
    anyCase.set(lower, anyCase.has(lower) ? null : entry);
  }
  return (name) => {
    const found = exact.get(name);
    if (found !== undefined) return found ?? undefined;
    return anyCase.get(name.toLowerCase()) ?? undefined;
  };
}
