import type { Grouping } from './check.js';
import type { Ref } from './names.js';
import type { Note } from './note.js';
import { isGuarded } from './order.js';
import { type Filter, type Resolved, visibilityOf } from './resolve.js';
import type { ReferenceWorld } from './schema.js';
import { kindOf } from './value.js';

/** Tells of every clause with its operator and the kind and mask of the field it is about. */
export function noteQuery(
  query: Resolved,
  grouping: Grouping,
  world: ReferenceWorld,
  note: Note,
): void {
  const field = (ref: Ref): [string, string] => {
    const seen = visibilityOf(ref, query.sources, world);
    const type = query.sources[ref.source]?.dataset.fields[ref.index]?.type ?? '';
    return [kindOf(type), seen.state === 'masked' ? seen.mask.method : 'raw'];
  };
  const noteFilters = (clause: string, filters: readonly Filter[]): void => {
    for (const filter of filters) {
      if ('logic' in filter) noteFilters(clause, filter.conditions);
      else if ('ref' in filter.operand) note(clause, filter.operator, ...field(filter.operand.ref));
      else note(clause, filter.operator, filter.operand.func);
    }
  };
  for (const ref of query.columns) note('columns', ...field(ref));
  for (const { type, pairs } of query.joins) {
    for (const { right } of pairs) note('join', type, ...field(right));
    note('join pairs', type, pairs.length > 1 ? 'several' : 'one');
  }
  for (const { func, of } of query.aggregates) {
    if (of === null) note('aggregate', 'count(*)');
    else note('aggregate', func, ...field(of));
  }
  noteFilters('filter', query.filters);
  noteFilters('having', query.having);
  if (grouping.of === 'groups') {
    const clause = query.groupBy.length > 0 ? 'group_by' : 'grouped columns';
    for (const ref of grouping.keys) note(clause, ...field(ref));
  }
  for (const { operand, direction, saidNulls } of query.orderBy) {
    if ('ref' in operand) note('order_by', ...field(operand.ref));
    else note('order_by', 'aggregate', operand.func);
    note('order_by', direction, `nulls ${saidNulls ?? 'not said'}`);
  }
  const order = query.orderBy.length > 0 ? 'asked for' : 'not asked for';
  note('order', order, isGuarded(query, world) ? 'guarded' : 'all raw', `of ${grouping.of}`);
  note(
    'rows',
    query.limit === null ? 'no limit' : 'limit',
    query.offset > 0 ? 'offset' : 'no offset',
  );
}
