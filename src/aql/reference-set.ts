import type { Reference } from '../policy/model.js';
import { type CatalogDataset, type CatalogField, compareText } from './catalog.js';

/** What a query touches. */
export interface ReferenceSet {
  /** A field of one of the query's datasets. */
  add(dataset: CatalogDataset, field: CatalogField): void;
  /** What no registry holds. */
  addUnknown(reference: Reference): void;
  /** Deduplicated, sorted by dataset and field; a dataset comes before its fields. */
  list(): Reference[];
}

/** The set that holds the datasets of a query, each as a whole. */
export function createReferenceSet(datasets: readonly CatalogDataset[]): ReferenceSet {
  const parts = [...new Set(datasets)]
    .sort((left, right) => compareText(left.name, right.name))
    .map((dataset) => ({ dataset, touched: new Uint8Array(dataset.references.length) }));
  const unknown: Reference[] = [];
  return {
    add(dataset, field) {
      for (const part of parts) if (part.dataset === dataset) part.touched[field.rank] = 1;
    },
    addUnknown: (reference) => unknown.push(reference),
    list() {
      const all: Reference[] = [];
      for (const { dataset, touched } of parts) {
        all.push({ dataset: dataset.name, field: null });
        for (let rank = 0; rank < touched.length; rank += 1) {
          const reference = dataset.references[rank];
          if (touched[rank] === 1 && reference !== undefined) all.push(reference);
        }
      }
      return unknown.length === 0 ? all : sortedReferences([...all, ...unknown]);
    },
  };
}

/** References in their order, each once. */
export function sortedReferences(references: readonly Reference[]): Reference[] {
  const byDataset = new Map<string, Map<string | null, Reference>>();
  for (const reference of references) {
    const fields = byDataset.get(reference.dataset) ?? new Map();
    byDataset.set(reference.dataset, fields.set(reference.field, reference));
  }
  return [...byDataset.values()]
    .flatMap((fields) => [...fields.values()])
    .sort(
      (left, right) =>
        compareText(left.dataset, right.dataset) ||
        compareText(left.field ?? '', right.field ?? ''),
    );
}
