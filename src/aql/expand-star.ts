import type { Reference } from '../policy/model.js';
import { sortedReferences } from './reference-set.js';
import type { FieldRef, ResolvedColumn, ResolvedQuery } from './resolved-query.js';

/**
 * Replaces `"*"` by every field of the query's datasets that the decision does not deny, dataset by dataset in the order
 * of the query, each in the order of its columns. Fields that are selected by name beside it are not repeated.
 * `references` then hold the new fields too. Without a star the query comes back as it is.
 */
export function expandStar(
  resolved: ResolvedQuery,
  isReadable: (dataset: string, field: string) => boolean,
): ResolvedQuery {
  if (!resolved.star) return resolved;
  const named = new Set(
    resolved.columns.flatMap((column) => ('ref' in column ? [column.ref] : [])).map(keyOf),
  );
  const all = resolved.sources.flatMap(({ dataset }, source) =>
    dataset.fields
      .filter((field) => isReadable(dataset.name, field.name))
      .map((field): FieldRef => {
        return { source, dataset: dataset.name, field: field.name, at: field.index };
      }),
  );
  const added = all.filter((ref) => !named.has(keyOf(ref)));
  let expanded = false;
  const columns = resolved.columns.flatMap((column): ResolvedColumn[] => {
    if ('ref' in column) return [column];
    if (expanded) return [];
    expanded = true;
    return added.map((ref) => ({ ref, pointer: column.pointer }));
  });
  return { ...resolved, columns, references: withFields(resolved.references, added), star: false };
}

function keyOf({ source, at }: FieldRef): string {
  return `${source}.${at}`;
}

function withFields(
  references: readonly Reference[],
  added: readonly FieldRef[],
): readonly Reference[] {
  return sortedReferences([
    ...references,
    ...added.map(({ dataset, field }) => ({ dataset, field })),
  ]);
}
