import { VkitError } from '../errors/index.js';
import type { CatalogField } from './catalog.js';
import type { PlanSource } from './plan.js';
import { type PlanColumn, RAW_ALIAS, seenFields } from './plan-columns.js';
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

/** The name of the `index`-th dataset outside. Names that requesters choose never become SQL. */
function sourceAlias(index: number): string {
  return `t${index + 1}`;
}

/**
 * Builds FROM. A dataset of which the query uses a masked field becomes a derived table that projects exactly the fields
 * used, already masked; the columns handed out are those of the derived table, so no clause can name a raw one.
 * Throws `internal` where a hidden field is used: such a query was to be denied.
 */
export function planSources(resolved: readonly ResolvedSource[], use: SourceUse): PlanSources {
  const columns: ((at: number) => PlanColumn | undefined)[] = [];
  const sources = resolved.map(({ dataset }, index): PlanSource => {
    const alias = sourceAlias(index);
    const seen = seenFields(dataset, alias);
    const from = { alias, table: dataset.table, rawAlias: RAW_ALIAS };
    if (use.raw[index] === true) {
      columns.push(seen.raw);
      return { ...from, derived: null };
    }
    const fields = dataset.fields.filter((field) => use.used[index]?.[field.index] === 1);
    const states = fields.map((field) => visible(field, dataset.name, use.visibility));
    const own: PlanColumn[] = new Array(dataset.fields.length);
    columns.push((at) => own[at]);
    if (states.every(({ state }) => state === 'raw')) {
      for (const { index: at } of fields) own[at] = seen.raw(at);
      return { ...from, derived: null };
    }
    const derived = fields.map((field, at) => {
      const state = states[at];
      const one = seen.derived(field.index, state?.state === 'masked' ? state.mask : null);
      own[field.index] = one.column;
      return one.projected;
    });
    return { ...from, derived };
  });
  return {
    sources,
    column(ref) {
      const column = columns[ref.source]?.(ref.at);
      if (column === undefined) throw new VkitError('internal', 'A plan uses a field it left out.');
      return column;
    },
  };
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
