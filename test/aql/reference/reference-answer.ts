import type { OutputColumn } from '../../../src/aql/plan.js';
import { aggregate } from './aggregates.js';
import {
  constantsOf,
  type Grouping,
  groupingOf,
  outputNames,
  problemsOf,
  sightOfRef,
  type Typed,
  typeOfAggregate,
} from './check.js';
import { allOf, anyOf, asCompared, not, type Truth, test } from './conditions.js';
import { encode } from './encode.js';
import { cellOf, type Joined, joinRows } from './joins.js';
import type { Ref } from './names.js';
import type { Note } from './note.js';
import { noteQuery } from './note-query.js';
import { compareKeys, isGuarded, type SortKey, totalKeys } from './order.js';
import { readQuery } from './read-query.js';
import { type Filter, type Operand, type Resolved, resolve } from './resolve.js';
import type { ReferenceWorld } from './schema.js';
import { compareValues, type Value } from './value.js';

/** Cells as JSON. */
export type AnswerRow = readonly string[];

export type ReferenceAnswer =
  | { refused: readonly string[] }
  | {
      columns: readonly OutputColumn[];
      /** All rows, before `offset` and the limits. The order of rows within one of these lists is not said. */
      ties: readonly (readonly AnswerRow[])[];
      offset: number;
      rowsMax: number;
      /** Whether rows beyond `rowsMax` were cut by a cap. */
      truncated: boolean;
    };

/** The rows a server hands out at most where no policy says more or less. */
const ROW_CAP = 10_000;

/**
 * aql.md a second time, to the letter, slow and obvious, over rows in memory: the properties compare every engine with
 * it. It imports nothing of src/ but types.
 */
export function referenceAnswer(
  json: unknown,
  world: ReferenceWorld,
  note: Note = () => {},
): ReferenceAnswer {
  const read = readQuery(json);
  if ('problems' in read) return refusal(read.problems, note);
  const query = resolve(read.query, world);
  if ('refused' in query) return refusal(query.refused, note);
  const grouping = groupingOf(query);
  noteQuery(query, grouping, world, note);
  const problems = problemsOf(query, grouping, world);
  if (problems.length > 0) return refusal(problems, note);
  return answer(query, grouping, world, note);
}

function refusal(codes: readonly string[], note: Note): ReferenceAnswer {
  for (const code of codes) note('refused', code);
  return { refused: [...new Set(codes)].sort() };
}

function answer(
  query: Resolved,
  grouping: Grouping,
  world: ReferenceWorld,
  note: Note,
): ReferenceAnswer {
  const groups = groupsOf(grouping, filteredRows(query, world, note));
  const kept = groups.filter((group) => truthOf(query, query.having, group, world, note) === true);
  const keyed = kept.map((group) => ({
    keys: sortKeys(query, grouping, group, world),
    row: outputsOf(query).map(({ operand, seen }) => encode(valueIn(operand, group), seen.kind)),
  }));
  const sorted = keyed.sort((left, right) => compareKeys(left.keys, right.keys));
  const ties: AnswerRow[][] = [];
  for (const [at, { keys, row }] of sorted.entries()) {
    const before = sorted[at - 1];
    if (before !== undefined && compareKeys(before.keys, keys) === 0) ties.at(-1)?.push(row);
    else ties.push([row]);
  }
  const { offset, limit } = query;
  // "`max_rows` caps offset + limit."
  const cap = world.maxRows === null ? ROW_CAP : Math.max(0, world.maxRows - offset);
  const rowsMax = Math.min(limit ?? cap, cap);
  const isMore = cap === 0 || kept.length - offset > cap;
  const isCut = (limit === null || limit > cap) && isMore;
  note('answer', kept.length > offset && rowsMax > 0 ? 'rows' : 'no rows');
  const names = outputNames(query);
  const columns = outputsOf(query).map(({ seen: { type, masked } }, at) => ({
    name: names[at] ?? '',
    type,
    ...(masked !== undefined && { masked }),
  }));
  return { columns, ties, offset, rowsMax, truncated: isCut };
}

/** Rows of FROM that the filters keep. */
function filteredRows(query: Resolved, world: ReferenceWorld, note: Note): Joined[] {
  const [from, ...others] = query.sources;
  let rows: Joined[] = (from?.rows ?? []).map((row) => [row]);
  for (const [at, source] of others.entries()) {
    const join = query.joins[at];
    if (join !== undefined) rows = joinRows(rows, source, join.type, join.pairs, world.limits);
  }
  return rows.filter((row) => truthOf(query, query.filters, [row], world, note) === true);
}

/** A row of the answer comes from a group: of one row, of all rows (even of none), or of those with equal keys. */
function groupsOf(grouping: Grouping, rows: readonly Joined[]): Joined[][] {
  if (grouping.of === 'rows') return rows.map((row) => [row]);
  if (grouping.of === 'all') return [[...rows]];
  const groups: Joined[][] = [];
  const isAlike = (left: Joined, right: Joined) =>
    grouping.keys.every((key) => isSame(cellOf(left, key), cellOf(right, key)));
  for (const row of rows) {
    const group = groups.find(([first]) => first !== undefined && isAlike(first, row));
    if (group === undefined) groups.push([row]);
    else group.push(row);
  }
  return groups;
}

/** NULLs are one group. */
function isSame(left: Value, right: Value): boolean {
  if (left === null || right === null) return left === right;
  return compareValues(left, right) === 0;
}

function valueIn(operand: Operand, group: readonly Joined[]): Value {
  if ('ref' in operand) return group[0] === undefined ? null : cellOf(group[0], operand.ref);
  const { func, of } = operand;
  // Each row counts for `count(*)`.
  return aggregate(func, of === null ? group.map(() => true) : group.map((row) => cellOf(row, of)));
}

function truthOf(
  query: Resolved,
  filters: readonly Filter[],
  group: readonly Joined[],
  world: ReferenceWorld,
  note: Note,
): Truth {
  const truthOfOne = (filter: Filter): Truth => {
    if ('logic' in filter) {
      const truths = filter.conditions.map(truthOfOne);
      const truth = filter.logic === 'OR' ? anyOf(truths) : allOf(truths);
      const result = filter.logic === 'NOT' ? not(truth) : truth;
      note('logic', filter.logic, String(result ?? 'unknown'));
      return result;
    }
    const { operator, operand } = filter;
    const { kind } = typeOf(query, operand);
    const constants = constantsOf(filter, kind, world.limits.constants) ?? [];
    const truth = test(operator, valueIn(operand, group), constants, world.limits);
    note('truth', operator, String(truth ?? 'unknown'));
    return truth;
  };
  return allOf(filters.map(truthOfOne));
}

function typeOf(query: Resolved, operand: Operand): Typed {
  if ('ref' in operand) return sightOfRef(query, operand.ref);
  return typeOfAggregate(operand.func, operand.of && sightOfRef(query, operand.of));
}

function outputsOf(query: Resolved): { operand: Operand; seen: Typed }[] {
  const operands: Operand[] = [
    ...query.columns.map((ref) => ({ ref })),
    ...query.aggregates.map(({ func, of }) => ({ func, of })),
  ];
  return operands.map((operand) => ({ operand, seen: typeOf(query, operand) }));
}

function sortKeys(
  query: Resolved,
  grouping: Grouping,
  group: readonly Joined[],
  world: ReferenceWorld,
): SortKey[] {
  const orderedBy = (ref: Ref, value: Value) =>
    sightOfRef(query, ref).token?.orderOf(value) ?? value;
  const total = isGuarded(query, world) ? totalKeys(query, grouping, world) : [];
  return [
    ...query.orderBy.map(({ operand, direction, nulls }) => ({
      value: asCompared(valueIn(operand, group), world.limits),
      direction,
      nulls,
    })),
    ...total.map(
      (ref: Ref): SortKey => ({
        value: orderedBy(ref, valueIn({ ref }, group)),
        direction: 'ASC',
        nulls: 'last',
      }),
    ),
  ];
}
