import type { Mask } from '../masking/model.js';
import type { ResolvedSource } from './resolved-query.js';

/** How a requester sees one field, once everything was decided and approved. */
export type FieldVisibility =
  | { state: 'raw' }
  | { state: 'masked'; mask: Mask }
  /** Denied, or not decided: the query must not touch it, and its values must not show in the order of rows. */
  | { state: 'hidden' };

/** Known for every field of every dataset of the query, touched or not; names are the registry's. */
export type Visibility = (dataset: string, field: string) => FieldVisibility;

/**
 * Whether every registered field of a dataset is readable as it is, so that the order of its rows hides nothing. Of a view
 * nobody knows: its rows can come in the order of an index on a column that it does not have.
 */
export function isFullyRaw({ dataset }: ResolvedSource, visibility: Visibility): boolean {
  const { kind } = dataset.expectation;
  if (kind !== undefined && kind !== 'table') return false;
  return dataset.fields.every((field) => isRaw(dataset.name, field.name, visibility));
}

export function isRaw(dataset: string, field: string, visibility: Visibility): boolean {
  return visibility(dataset, field).state === 'raw';
}
