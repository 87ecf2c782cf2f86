import type { Reference } from './model.js';

/** The key of a field in `masks` and `denied_fields`; of a dataset reference the dataset's name alone. */
export function nameOfReference({ dataset, field }: Reference): string {
  return field === null ? dataset : `${dataset}.${field}`;
}
