import { methodOf, type TestCase } from '../../aql/differential/arbitrary-case.js';
import type { Ref } from '../../aql/reference/names.js';
import type { Note } from '../../aql/reference/note.js';
import { readQuery } from '../../aql/reference/read-query.js';
import {
  type Filter,
  type Operand,
  type Resolved,
  resolve,
  visibilityOf,
} from '../../aql/reference/resolve.js';
import type { ReferenceWorld } from '../../aql/reference/schema.js';
import { CLAUSES, type Clause, METHODS } from './twin-cases.js';

/** The cells that cases must reach: every clause, with every way to see a field of it. */
export const CELLS = CLAUSES.flatMap((clause) => METHODS.map((method) => `${clause} / ${method}`));

/**
 * Tells of every clause of a case, and how the fields are seen that it is about. Of a clause that is about no field, or none
 * that is hidden, those of the query's datasets count.
 */
export function noteClauses({ query }: TestCase, world: ReferenceWorld, note: Note): void {
  const read = readQuery(query);
  if ('problems' in read) return;
  const resolved = resolve(read.query, world);
  if ('refused' in resolved) return;
  const all = resolved.sources.flatMap(({ dataset }, source) =>
    dataset.fields.map((_, index): Ref => ({ source, index })),
  );
  const methodOfRef = (ref: Ref) => methodOf(visibilityOf(ref, resolved.sources, world));
  const about = (clause: Clause, refs: readonly Ref[]) => {
    for (const ref of refs) note(clause, methodOfRef(ref));
    const isHiding = all.some((ref) => methodOfRef(ref) === 'hidden');
    if (refs.length > 0 && isHiding) note(clause, 'hidden');
  };
  about('columns', resolved.columns);
  if (read.query.columns.includes('*')) about('star', all);
  about('filter', resolved.filters.flatMap(refsOfFilter));
  for (const [at, { pairs }] of resolved.joins.entries()) {
    const pair = pairs.flatMap(({ left, right }) => [left, right]);
    const joined = all.filter(({ source }) => pair.some((ref) => ref.source === source));
    about('join', joined);
    about('join pair', pair);
    if (isSelfJoin(resolved, at)) about('self join', joined);
  }
  about(
    'aggregate',
    resolved.aggregates.flatMap(({ of }) => of ?? []),
  );
  about('group_by', keysOf(resolved));
  about('having', resolved.having.flatMap(refsOfFilter));
  about(
    'order_by',
    resolved.orderBy.flatMap(({ operand }) => refsOf(operand)),
  );
  if (resolved.limit !== null) about('limit', all);
  if (resolved.offset > 0) about('offset', all);
}

function isSelfJoin({ sources }: Resolved, join: number): boolean {
  const joined = sources[join + 1]?.dataset;
  return sources.slice(0, join + 1).some(({ dataset }) => dataset === joined);
}

function keysOf({ aggregates, groupBy, columns }: Resolved): Ref[] {
  if (groupBy.length > 0) return groupBy;
  return aggregates.length > 0 ? columns : [];
}

function refsOfFilter(filter: Filter): Ref[] {
  return 'logic' in filter ? filter.conditions.flatMap(refsOfFilter) : refsOf(filter.operand);
}

function refsOf(operand: Operand): Ref[] {
  if ('ref' in operand) return [operand.ref];
  return operand.of === null ? [] : [operand.of];
}
