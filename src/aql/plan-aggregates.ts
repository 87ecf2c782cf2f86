import type { MaskMethod } from '../masking/index.js';
import type { FieldKind } from '../schema/field-type.js';
import type { Expr } from './expression.js';
import { report } from './input-checks.js';
import { supportsAggregate } from './kind-abilities.js';
import type { AggregateFunction } from './model.js';
import type { PlanColumn } from './plan-columns.js';
import type { PlanScope } from './plan-scope.js';
import type { FieldRef } from './resolved-query.js';

/** An aggregate with the type of its result. */
export interface PlanAggregate {
  expr: Expr;
  kind: FieldKind;
  type: string;
  masked?: MaskMethod;
  label: string;
}

/** An aggregate over a column as the requester sees it; `undefined` and a problem where it makes no sense. */
export function planAggregate(
  func: AggregateFunction,
  ref: FieldRef | null,
  pointer: string,
  scope: PlanScope,
): PlanAggregate | undefined {
  if (ref === null) return counted(null, 'count');
  const column = scope.column(ref);
  const { kind, type, label, masked } = column;
  if (!supportsAggregate(column, func)) {
    report(scope.problems, {
      pointer,
      code: masked === undefined ? 'unsupported_on_type' : 'unsupported_on_masked',
      message:
        masked === undefined
          ? `${func} does not work on ${label}, which is ${type}.`
          : `${func} does not work on ${label}, which is masked (${masked}).`,
    });
    return undefined;
  }
  switch (func) {
    case 'count':
      return counted(column.expr, func);
    case 'count_distinct':
      return counted({ node: 'key', kind, operand: column.expr }, func);
    case 'sum':
    case 'avg':
      return totalled(func, column, scope);
    default: {
      const operand = groupKey(column, scope);
      const expr: Expr = { node: 'aggregate', fn: func, operand, kind, ordered: false };
      return { expr, kind, type, label: `${func}(${label})`, ...(masked && { masked }) };
    }
  }
}

function counted(operand: Expr | null, fn: 'count' | 'count_distinct'): PlanAggregate {
  const expr: Expr = { node: 'aggregate', fn, operand, kind: 'integer', ordered: false };
  return { expr, kind: 'integer', type: 'bigint', label: fn };
}

function totalled(fn: 'sum' | 'avg', column: PlanColumn, scope: PlanScope): PlanAggregate {
  const isFloat = column.kind === 'float';
  const expr: Expr = {
    node: 'aggregate',
    fn,
    operand: column.expr,
    kind: column.kind,
    // The sum of floats depends on the order of rows, and with it on what an index is sorted by.
    ordered: isFloat && scope.guarded,
  };
  const kind = isFloat ? 'float' : 'numeric';
  const type = isFloat ? 'double' : 'numeric';
  const { masked } = column;
  return { expr, kind, type, label: `${fn}(${column.label})`, ...(masked && { masked }) };
}

/**
 * A column as a key of GROUP BY, or as what min and max compare. Values that are equal may be written differently (1.0
 * and 1.00, 0 and -0); which of them comes out depends on the order of rows, so where that is guarded they are made
 * one.
 */
export function groupKey(column: PlanColumn, scope: PlanScope): Expr {
  const { kind } = column;
  const operand = scope.guarded ? canonical(column.expr, kind) : column.expr;
  return { node: 'key', kind, operand };
}

function canonical(expr: Expr, kind: FieldKind): Expr {
  if (kind === 'numeric') return { node: 'call', fn: 'canonical_numeric', args: [expr] };
  if (kind !== 'float') return expr;
  const zero: Expr = { node: 'integer', value: 0 };
  const isZero: Expr = { node: 'compare', op: 'eq', kind, left: expr, right: zero };
  return { node: 'case', branches: [{ when: isZero, result: zero }], otherwise: expr };
}
