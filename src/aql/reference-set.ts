import { VkitError } from '../errors/index.js';
import type { Reference } from '../policy/model.js';
import { type CatalogDataset, compareText } from './catalog.js';

/** What a query touches. */
export interface ReferenceSet {
  /** One of the query's datasets: 1 at the rank of a field says that the query touches it. */
  touched(dataset: CatalogDataset): Uint8Array;
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
    touched(dataset) {
      const part = parts.find((one) => one.dataset === dataset);
      if (part === undefined) throw new VkitError('internal', 'A query has no such dataset.');
      return part.touched;
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
