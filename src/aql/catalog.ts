import type { Bundle, BundleDataset, BundleField } from '../bundle/model.js';
import type { Reference } from '../policy/model.js';
import { type FieldKind, kindOfType } from '../schema/field-type.js';
import type { TableIdentity } from '../schema/model.js';
import type { TableExpectation } from './plan.js';

export interface CatalogField {
  name: string;
  /** `dataset.field`, for messages. */
  label: string;
  /** Its index in the dataset's `fields`. */
  index: number;
  /** Its index in the dataset's `references`. */
  rank: number;
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
  primaryKey: readonly string[];
  uniqueKeys: readonly (readonly string[])[];
  /** In the order of their positions; those without one come last, by name. */
  fields: readonly CatalogField[];
  /** What a query that touches the dataset refers to. */
  reference: Reference;
  /** What a query that touches a field refers to, by the fields' names. */
  references: readonly Reference[];
  /** What the live table must look like, all registered fields together: those a query leaves out were reviewed too. */
  expectation: TableExpectation;
  /** A field by its name: exactly, else in any case where that is unambiguous. */
  field(name: string): CatalogField | undefined;
  /** A field by `dataset.field`, exactly as the registry writes both. */
  labelled(label: string): CatalogField | undefined;
}

export interface Catalog {
  /** A dataset by its registry key: exactly, else in any case where that is unambiguous. */
  dataset(name: string): CatalogDataset | undefined;
}

/** The registry of a bundle, ready for lookups by name. */
export function createCatalog(bundle: Pick<Bundle, 'registry'>): Catalog {
  const { datasets, datasources } = bundle.registry;
  const byIdentity = new Set(
    datasources.flatMap((source) => (source.schema_check === 'identity' ? [source.name] : [])),
  );
  const find = lookup(
    datasets.map((dataset) => toCatalogDataset(dataset, byIdentity.has(dataset.datasource))),
  );
  return { dataset: find };
}

function toCatalogDataset(dataset: BundleDataset, byIdentity: boolean): CatalogDataset {
  const byName = dataset.fields.toSorted((left, right) => compareText(left.name, right.name));
  const ranks = new Map(byName.map((field, rank) => [field, rank]));
  const fields = dataset.fields
    .toSorted(byPosition)
    .map((field, index) => toCatalogField(dataset, field, index, ranks.get(field) ?? index));
  const field = lookup(fields);
  // Of two fields of one name, neither is found.
  const found = fields.filter((one) => field(one.name) === one);
  const labels = new Map(found.map((one) => [one.label, one]));
  return {
    name: dataset.name,
    datasource: dataset.datasource,
    table: dataset.table,
    primaryKey: dataset.primary_key ?? [],
    uniqueKeys: dataset.unique_keys ?? [],
    fields,
    reference: { dataset: dataset.name, field: null },
    references: byName.map((field) => ({ dataset: dataset.name, field: field.name })),
    expectation: toExpectation(dataset, fields, byIdentity),
    field,
    labelled: (label) => labels.get(label),
  };
}

function toExpectation(
  dataset: BundleDataset,
  fields: readonly CatalogField[],
  byIdentity: boolean,
): TableExpectation {
  const { oid } = dataset.table;
  return {
    dataset: dataset.name,
    table: dataset.table,
    ...(dataset.kind !== undefined && { kind: dataset.kind }),
    ...(dataset.definition_digest !== undefined && {
      definition_digest: dataset.definition_digest,
    }),
    ...(byIdentity && oid !== undefined && { oid }),
    columns: fields.map(({ name, type, position }) => ({
      name,
      type,
      ...(position !== undefined && { position }),
    })),
  };
}

function toCatalogField(
  dataset: BundleDataset,
  field: BundleField,
  index: number,
  rank: number,
): CatalogField {
  return {
    name: field.name,
    label: `${dataset.name}.${field.name}`,
    index,
    rank,
    type: field.type,
    kind: kindOfType(field.type),
    ...(field.position !== undefined && { position: field.position }),
    ...(field.nullable !== undefined && { nullable: field.nullable }),
    ...(field.classification != null && { classification: field.classification }),
  };
}

function byPosition(left: BundleField, right: BundleField): number {
  const last = Number.MAX_SAFE_INTEGER;
  const difference = (left.position ?? last) - (right.position ?? last);
  if (difference !== 0) return difference;
  return left.name < right.name ? -1 : 1;
}

/** By UTF-16 code units, as JavaScript compares. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
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
