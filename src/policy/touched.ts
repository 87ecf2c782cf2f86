import { foldName } from '../util/fold-name.js';
import type { CompiledDataset } from './compiled-dataset.js';
import type { CompiledPolicy } from './compiled-policy.js';
import type { Reference } from './model.js';

/** What a request touches as a whole, which `fields.all` and the dataset itself depend on. */
export interface Touched {
  /** Whether the request touches a field of the dataset that the registry holds. */
  touchesField(dataset: CompiledDataset): boolean;
  /** `fields.all`: the request, with the field that is judged, touches all of these names in the dataset. */
  touchesAll(compiled: CompiledPolicy, dataset: string, field: string): boolean;
}

/** The fields that references touch, compared without regard to case. */
export function touchedBy(references: readonly Reference[]): Touched {
  // Made when first asked for: most policies do not look at other fields.
  let names: ReadonlyMap<string, ReadonlySet<string>> | undefined;
  const namesIn = (dataset: string) => {
    names ??= namesByDataset(references);
    return names.get(dataset);
  };
  return {
    touchesField: ({ name, fields }) => {
      if (references.some((one) => one.dataset === name && one.field && fields.has(one.field))) {
        return true;
      }
      const touched = namesIn(name);
      if (touched === undefined || touched.size === 0) return false;
      return [...fields.keys()].some((field) => touched.has(foldName(field)));
    },
    touchesAll: ({ match }, dataset, field) => {
      if (match.all === null) return true;
      const touched = namesIn(dataset);
      return match.all.every((one) => one === foldName(field) || touched?.has(one) === true);
    },
  };
}

function namesByDataset(references: readonly Reference[]): Map<string, Set<string>> {
  const names = new Map<string, Set<string>>();
  for (const { dataset, field } of references) {
    const fields = names.get(dataset) ?? new Set();
    names.set(dataset, fields);
    if (field !== null) fields.add(foldName(field));
  }
  return names;
}
