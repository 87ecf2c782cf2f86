import type { FieldRef, ResolvedColumn, ResolvedQuery } from './resolved-query.js';

/** The names of a query's outputs, each of which may be taken once. */
export interface OutputNames {
  /** A field's own name, or `<dataset or alias>.<field>` where the query selects that name from two datasets. */
  of(ref: FieldRef): string;
  /** Whether the name that `of` gave the field was free. */
  takeField(ref: FieldRef, name: string): boolean;
  /** Whether the name was free. */
  take(name: string): boolean;
}

export function createOutputNames({ columns, sources, aggregates }: ResolvedQuery): OutputNames {
  const taken = new Set<string>();
  function take(name: string): boolean {
    const before = taken.size;
    return taken.add(name).size > before;
  }
  const only = onlySource(columns);
  if (only !== undefined && aggregates.length === 0) {
    // One dataset has no two fields of a name: it takes no more than their indexes to tell them apart.
    const marks = new Uint8Array(sources[only]?.dataset.fields.length ?? 0);
    const takeField = ({ at }: FieldRef): boolean => {
      const free = marks[at] === 0;
      marks[at] = 1;
      return free;
    };
    return { of: ({ field }) => field, takeField, take };
  }
  const shared = only === undefined ? sharedNames(columns) : new Set();
  return {
    of: ({ field, source }) => (shared.has(field) ? `${sources[source]?.label}.${field}` : field),
    takeField: (_, name) => take(name),
    take,
  };
}

/** The one source that all columns are of; `undefined` where there are more, or none. */
function onlySource(columns: readonly ResolvedColumn[]): number | undefined {
  let only: number | undefined;
  for (const column of columns) {
    if (!('ref' in column)) continue;
    if (only === undefined) only = column.ref.source;
    else if (column.ref.source !== only) return undefined;
  }
  return only;
}

/** The names that are selected of more than one source. */
function sharedNames(columns: readonly ResolvedColumn[]): Set<string> {
  const shared = new Set<string>();
  const owners = new Map<string, number>();
  for (const column of columns) {
    if (!('ref' in column)) continue;
    const { field, source } = column.ref;
    if ((owners.get(field) ?? source) !== source) shared.add(field);
    owners.set(field, source);
  }
  return shared;
}
