import type { FieldRef, Operand, ResolvedFilter, ResolvedQuery } from './resolved-query.js';

/** For each source of a query, 1 at the index of every field that a clause names or `more` holds. */
export function usedFields(
  resolved: ResolvedQuery,
  more: readonly FieldRef[],
): readonly Uint8Array[] {
  const used = resolved.sources.map(({ dataset }) => new Uint8Array(dataset.fields.length));
  const mark = (ref: FieldRef | null): void => {
    const fields = ref === null ? undefined : used[ref.source];
    if (ref !== null && fields !== undefined) fields[ref.at] = 1;
  };
  const markOperand = (operand: Operand): void =>
    mark('ref' in operand ? operand.ref : operand.aggregateOf);
  const markFilter = (filter: ResolvedFilter): void => {
    if ('logic' in filter) filter.conditions.forEach(markFilter);
    else markOperand(filter.operand);
  };
  for (const column of resolved.columns) if ('ref' in column) mark(column.ref);
  for (const aggregate of resolved.aggregates) mark(aggregate.ref);
  for (const { left, right } of resolved.joins.flatMap((join) => join.pairs)) {
    mark(left);
    mark(right);
  }
  resolved.filters.forEach(markFilter);
  resolved.having.forEach(markFilter);
  for (const group of resolved.groupBy) mark(group.ref);
  for (const order of resolved.orderBy) markOperand(order.operand);
  more.forEach(mark);
  return used;
}
