import type { FieldKind } from '../schema/field-type.js';
import type { CatalogField } from './catalog.js';
import type { Expr } from './expression.js';
import { report } from './input-checks.js';
import { KIND_ABILITIES } from './kind-abilities.js';
import type { PlannedOutput, PlanOrder } from './plan.js';
import { groupKey, planAggregate } from './plan-aggregates.js';
import type { PlanColumn } from './plan-columns.js';
import type { PlanScope } from './plan-scope.js';
import { tokenOrder } from './plan-tokens.js';
import type { FieldRef, ResolvedJoin, ResolvedQuery, ResolvedSource } from './resolved-query.js';
import { isRaw, type Visibility } from './visibility.js';

/** What makes the order of rows total, where a field is not readable raw. */
export interface RowKeys {
  /** Primary key columns, dataset by dataset. */
  columns: readonly FieldRef[];
  /** Whether a dataset has no usable primary key, so that all output columns are keys too. */
  outputs: boolean;
}

/**
 * The keys that tell the rows of a query without groups apart: each dataset's primary key, but for datasets that others
 * determine. A dataset that has no primary key, or whose key is not readable raw, needs the output columns instead:
 * rows that are equal in all of these are the same to the requester in any order.
 */
export function rowKeys(resolved: ResolvedQuery, visibility: Visibility): RowKeys {
  const columns: FieldRef[] = [];
  let outputs = false;
  for (const [index, source] of resolved.sources.entries()) {
    const join = resolved.joins.find((candidate) => candidate.source === index);
    if (join !== undefined && isDetermined(join, source, visibility)) continue;
    const key = primaryKey(source, visibility);
    if (key === undefined) outputs = true;
    for (const { name, index: at } of key ?? []) {
      columns.push({ source: index, dataset: source.dataset.name, field: name, at });
    }
  }
  return { columns, outputs };
}

/** The primary key where it tells rows apart by values the requester may see. */
function primaryKey(
  { dataset }: ResolvedSource,
  visibility: Visibility,
): CatalogField[] | undefined {
  const key: CatalogField[] = [];
  for (const name of dataset.primaryKey) {
    // Only the exact registry name is a column; SQLite lets primary keys hold any number of NULLs.
    const field = dataset.fields.find((candidate) => candidate.name === name);
    if (field === undefined || field.nullable === true) return undefined;
    if (!KIND_ABILITIES[field.kind].equality) return undefined;
    if (!isRaw(dataset.name, name, visibility)) return undefined;
    key.push(field);
  }
  return key.length > 0 ? key : undefined;
}

/** Kinds of which values that compare equal may still be two under a unique key, in some engine. */
const LOOSELY_EQUAL: readonly FieldKind[] = ['numeric', 'float', 'timestamp', 'timestamptz'];

/**
 * Whether each row before the join meets at most one row of the dataset: it joins INNER or LEFT by equality on all
 * columns of a unique key, each readable raw (a mask maps many values to one).
 */
function isDetermined(join: ResolvedJoin, source: ResolvedSource, visibility: Visibility): boolean {
  if (join.type !== 'INNER' && join.type !== 'LEFT') return false;
  const { dataset } = source;
  const joined = new Set(join.pairs.map((pair) => pair.right.field));
  const keys = [dataset.primaryKey, ...dataset.uniqueKeys];
  return keys.some(
    (key) =>
      key.length > 0 &&
      key.every((name) => {
        const field = dataset.fields.find((candidate) => candidate.name === name);
        if (field === undefined || LOOSELY_EQUAL.includes(field.kind)) return false;
        return joined.has(name) && isRaw(dataset.name, name, visibility);
      }),
  );
}

/** One key of GROUP BY, and what the groups are ordered by where their order must be total. */
export interface GroupKey {
  expr: Expr;
  order: Expr;
}

/** The groups of a query: none, or the one row of aggregates without groups, or the keys. */
export type Grouping =
  | { state: 'rows' }
  | { state: 'one' }
  | { state: 'groups'; keys: readonly GroupKey[] };

/** ORDER BY: what was asked for, then, where the order of rows is guarded, what makes it total. */
export function planOrder(
  resolved: ResolvedQuery,
  keys: RowKeys,
  outputs: readonly PlannedOutput[],
  grouping: Grouping,
  scope: PlanScope,
): PlanOrder[] {
  const orders: PlanOrder[] = [];
  for (const order of resolved.orderBy) {
    const expr = requestedKey(order, grouping, scope);
    if (expr === undefined) continue;
    const { direction, nulls, operand } = order;
    const isColumn = grouping.state === 'rows' && 'ref' in operand;
    const neverNull = isColumn && isNeverNull(operand.ref, resolved, scope);
    orders.push(planKey(expr, direction, nulls, neverNull));
  }
  if (!scope.guarded || grouping.state === 'one') return withoutRepeats(orders);
  const last = (expr: Expr, neverNull = false) => planKey(expr, 'ASC', 'last', neverNull);
  if (grouping.state === 'groups') {
    for (const key of grouping.keys) orders.push(last(key.order));
    return withoutRepeats(orders);
  }
  for (const ref of keys.columns) {
    const { expr, kind } = scope.column(ref);
    orders.push(last({ node: 'key', kind, operand: expr }, isNeverNull(ref, resolved, scope)));
  }
  if (keys.outputs) for (const output of outputs) orders.push(last(outputKey(output, scope)));
  return withoutRepeats(orders);
}

function planKey(
  expr: Expr,
  direction: PlanOrder['direction'],
  nulls: PlanOrder['nulls'],
  neverNull: boolean,
): PlanOrder {
  return neverNull ? { expr, direction, nulls, neverNull } : { expr, direction, nulls };
}

/** Whether a column is read as it is, was NOT NULL when it was reviewed, and no join may leave its row out. */
function isNeverNull(ref: FieldRef, resolved: ResolvedQuery, scope: PlanScope): boolean {
  const { dataset } = resolved.sources[ref.source] ?? {};
  const field = dataset?.fields[ref.at];
  if (field?.nullable !== false || scope.column(ref).masked !== undefined) return false;
  return resolved.joins.every(({ type, source }) => {
    if (source === ref.source) return type === 'INNER' || type === 'RIGHT';
    return source < ref.source || type === 'INNER' || type === 'LEFT';
  });
}

function requestedKey(
  order: ResolvedQuery['orderBy'][number],
  grouping: Grouping,
  scope: PlanScope,
): Expr | undefined {
  const { operand, pointer } = order;
  if (!('ref' in operand)) {
    const aggregate = planAggregate(operand.func, operand.aggregateOf, pointer, scope);
    return aggregate && { node: 'key', kind: aggregate.kind, operand: aggregate.expr };
  }
  const column = scope.column(operand.ref);
  if (column.token !== undefined) {
    const message = `Rows cannot be ordered by ${column.label}, which is masked (tokenize).`;
    report(scope.problems, { pointer, code: 'unsupported_on_masked', message });
    return undefined;
  }
  if (!KIND_ABILITIES[column.kind].equality) {
    const message = `Rows cannot be ordered by ${column.label}, which is ${column.type}.`;
    report(scope.problems, { pointer, code: 'unsupported_on_type', message });
    return undefined;
  }
  if (grouping.state === 'rows') return { node: 'key', kind: column.kind, operand: column.expr };
  const key = groupKey(column, scope);
  const isGroup =
    grouping.state === 'groups' && grouping.keys.some((one) => sameExpr(one.expr, key));
  if (isGroup) return key;
  const message = `Groups are ordered by what they are grouped by or by an aggregate, not by ${column.label}.`;
  report(scope.problems, { pointer, code: 'not_grouped', message });
  return undefined;
}

/** Kinds whose equal values are all written alike, so that their natural order is total. */
const WRITTEN_ALIKE: readonly FieldKind[] = [
  'boolean',
  'integer',
  'text',
  'uuid',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'bytes',
];

/**
 * A column as a key of GROUP BY. The rows of a group have one tokenized value, of which the least salted hash is the
 * hash: an aggregate, since databases do not agree on what else may be made of a key.
 */
export function planGroupKey(column: PlanColumn, scope: PlanScope): GroupKey {
  const expr = groupKey(column, scope);
  if (column.token === undefined) return { expr, order: expr };
  const kind = 'text';
  const operand: Expr = { node: 'key', kind, operand: tokenOrder(column.expr, column.kind, scope) };
  const least: Expr = { node: 'aggregate', fn: 'min', operand, kind, ordered: false };
  return { expr, order: { node: 'key', kind, operand: least } };
}

function outputKey({ expr, kind, token }: PlannedOutput, scope: PlanScope): Expr {
  if (token !== undefined) {
    return { node: 'key', kind: 'text', operand: tokenOrder(expr, kind, scope) };
  }
  if (WRITTEN_ALIKE.includes(kind)) return { node: 'key', kind, operand: expr };
  const identity: Expr = { node: 'call', fn: 'identity_key', args: [expr] };
  return { node: 'key', kind: 'text', operand: identity };
}

/** A key that is there already orders nothing more. */
function withoutRepeats(orders: PlanOrder[]): PlanOrder[] {
  if (orders.length < 2) return orders;
  const seen = new Set<string>();
  return orders.filter(({ expr }) => {
    const text = JSON.stringify(expr);
    if (seen.has(text)) return false;
    seen.add(text);
    return true;
  });
}

export function sameExpr(left: Expr, right: Expr): boolean {
  return left === right || JSON.stringify(left) === JSON.stringify(right);
}
