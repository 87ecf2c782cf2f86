import type { Reference } from '../policy/model.js';
import { type CatalogDataset, compareText } from './catalog.js';

/** What a query touches, and with it each of its datasets as a whole. */
export class ReferenceSet {
  /** In the order of the datasets' names. */
  readonly #parts: { dataset: CatalogDataset; touched: Uint8Array }[] = [];
  readonly #unknown: Reference[] = [];

  /** Adds a dataset, however often it is there: 1 at the rank of a field says that the query touches it. */
  touched(dataset: CatalogDataset): Uint8Array {
    let at = 0;
    for (const part of this.#parts) {
      if (part.dataset === dataset) return part.touched;
      if (compareText(part.dataset.name, dataset.name) < 0) at += 1;
    }
    const touched = new Uint8Array(dataset.references.length);
    this.#parts.splice(at, 0, { dataset, touched });
    return touched;
  }

  /** What no registry holds. */
  addUnknown(reference: Reference): void {
    this.#unknown.push(reference);
  }

  /** Deduplicated, sorted by dataset and field; a dataset comes before its fields. */
  list(): Reference[] {
    const all: Reference[] = [];
    for (const { dataset, touched } of this.#parts) {
      all.push(dataset.reference);
      for (let rank = 0; rank < touched.length; rank += 1) {
        if (touched[rank] === 1) all.push(dataset.references[rank] as Reference);
      }
    }
    return this.#unknown.length === 0 ? all : sortedReferences([...all, ...this.#unknown]);
  }
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
