import { VkitError } from '../errors/index.js';
import type { CatalogDataset, CatalogField } from './catalog.js';
import type { PlanSource } from './plan.js';
import { type PlanColumn, type SeenFields, seenFields } from './plan-columns.js';
import type { FieldRef, ResolvedSource } from './resolved-query.js';
import type { FieldVisibility, Visibility } from './visibility.js';

export interface PlanSources {
  /** In the order of the query's datasets. */
  sources: readonly PlanSource[];
  column(ref: FieldRef): PlanColumn;
}

/** What is known of the query's datasets, in their order. */
export interface SourceUse {
  /** Whether all fields of the dataset are readable as they are, used or not. */
  raw: readonly boolean[];
  /** 1 at the index of every field that is used; asked for datasets alone that are not raw. */
  used: readonly Uint8Array[];
  visibility: Visibility;
}

/**
 * Builds FROM. A dataset of which the query uses a masked field becomes a derived table that projects exactly the fields
 * used, already masked; the columns handed out are those of the derived table, so no clause can name a raw one.
 * Throws `internal` where a hidden field is used: such a query was to be denied.
 */
export function planSources(resolved: readonly ResolvedSource[], use: SourceUse): PlanSources {
  const sources: PlanSource[] = [];
  /** Of each dataset, what a field's index stands for. */
  const columns: ColumnAt[] = [];
  for (let index = 0; index < resolved.length; index += 1) {
    const { dataset } = resolved[index] as ResolvedSource;
    const seen = seenFields(dataset, index);
    if (use.raw[index] === true) {
      sources.push(seen.source);
      columns.push(seen.raw);
    } else {
      const { source, column } = planUsed(dataset, seen, use.used[index], use.visibility);
      sources.push(source);
      columns.push(column);
    }
  }
  return {
    sources,
    column({ source, at }) {
      const column = columns[source]?.(at);
      if (column === undefined) throw new VkitError('internal', 'A plan uses a field it left out.');
      return column;
    },
  };
}

type ColumnAt = (at: number) => PlanColumn | undefined;

/** A dataset with the fields that are used, and no others. */
function planUsed(
  dataset: CatalogDataset,
  seen: SeenFields,
  used: Uint8Array | undefined,
  visibility: Visibility,
): { source: PlanSource; column: ColumnAt } {
  const fields = dataset.fields.filter((field) => used?.[field.index] === 1);
  const states = fields.map((field) => visible(field, dataset.name, visibility));
  const own = new Map<number, PlanColumn>();
  const column: ColumnAt = (at) => own.get(at);
  if (states.every(({ state }) => state === 'raw')) {
    for (const { index } of fields) own.set(index, seen.raw(index));
    return { source: seen.source, column };
  }
  const derived = fields.map(({ index }, at) => {
    const state = states[at];
    const one = seen.derived(index, state?.state === 'masked' ? state.mask : null);
    own.set(index, one.column);
    return one.projected;
  });
  return { source: { ...seen.source, derived }, column };
}

function visible(
  { name }: CatalogField,
  dataset: string,
  visibility: Visibility,
): Exclude<FieldVisibility, { state: 'hidden' }> {
  const seen = visibility(dataset, name);
  if (seen.state !== 'hidden') return seen;
  throw new VkitError('internal', 'A query that touches a denied field came to be planned.');
}
