import type { FieldKind } from '../schema/field-type.js';
import { bindValue } from './bind-value.js';
import type { ComparisonOperator, Expr } from './expression.js';
import { report } from './input-checks.js';
import { supportsOperator } from './kind-abilities.js';
import type { FilterOperator } from './model.js';
import type { TokenizedOutput } from './plan.js';
import { planAggregate } from './plan-aggregates.js';
import type { PlanScope } from './plan-scope.js';
import { planTokenCondition } from './plan-tokens.js';
import type { Operand, ResolvedFilter } from './resolved-query.js';

/** What a condition compares, with the kind its values must have. */
interface Compared {
  expr: Expr;
  kind: FieldKind;
  type: string;
  masked?: string;
  token?: TokenizedOutput;
  label: string;
}

/** The conditions ANDed, or `null` where there are none. Problems are noted in the scope. */
export function planFilters(filters: readonly ResolvedFilter[], scope: PlanScope): Expr | null {
  return filters.length === 0 ? null : allOf(filters.map((filter) => planFilter(filter, scope)));
}

function allOf(items: readonly Expr[]): Expr {
  return items.length === 1 && items[0] !== undefined ? items[0] : { node: 'and', items };
}

function planFilter(filter: ResolvedFilter, scope: PlanScope): Expr {
  if ('logic' in filter) {
    const items = filter.conditions.map((condition) => planFilter(condition, scope));
    if (filter.logic === 'NOT') return { node: 'not', item: allOf(items) };
    return filter.logic === 'AND' || items.length === 1 ? allOf(items) : { node: 'or', items };
  }
  const compared = planOperand(filter.operand, filter.pointer, scope);
  if (compared === undefined) return NOTHING;
  const { operator, pointer } = filter;
  if (!supportsOperator(compared, operator)) {
    report(scope.problems, {
      pointer: `${pointer}/operator`,
      code: compared.masked === undefined ? 'unsupported_on_type' : 'unsupported_on_masked',
      message: `${operator} does not work on ${describe(compared)}.`,
    });
    return NOTHING;
  }
  return planCondition(operator, compared, filter.value, pointer, scope);
}

/** Stands where a problem was noted: the plan it is part of is thrown away. */
const NOTHING: Expr = { node: 'boolean', value: false };

function describe({ label, type, masked }: Compared): string {
  return masked === undefined
    ? `${label}, which is ${type}`
    : `${label}, which is masked (${masked})`;
}

function planOperand(operand: Operand, pointer: string, scope: PlanScope): Compared | undefined {
  if ('ref' in operand) return scope.column(operand.ref);
  return planAggregate(operand.func, operand.aggregateOf, `${pointer}/field`, scope);
}

function planCondition(
  operator: FilterOperator,
  compared: Compared,
  value: unknown,
  pointer: string,
  scope: PlanScope,
): Expr {
  if (compared.token !== undefined) {
    return planTokenCondition(
      operator,
      { ...compared, token: compared.token },
      value,
      `${pointer}/value`,
      scope,
    );
  }
  const { expr, kind } = compared;
  switch (operator) {
    case 'is_null':
    case 'is_not_null':
      return { node: 'is_null', operand: expr, negated: operator === 'is_not_null' };
    case 'like':
    case 'not_like': {
      const pattern = bindPattern(compared, value, pointer, scope);
      return { node: 'like', operand: expr, pattern, negated: operator === 'not_like' };
    }
    case 'in':
    case 'not_in': {
      const negated = operator === 'not_in';
      const values = bindAll(compared, value, pointer, scope);
      if (values.length === 0) return { node: 'boolean', value: negated };
      return { node: 'in', kind, operand: expr, values, negated };
    }
    case 'between': {
      const [low, high] = bindAll(compared, value, pointer, scope);
      if (low === undefined || high === undefined) return NOTHING;
      return allOf([comparison('gte', compared, low), comparison('lte', compared, high)]);
    }
    default:
      return comparison(operator, compared, bind(compared, value, pointer, scope));
  }
}

function comparison(op: ComparisonOperator, { expr, kind }: Compared, right: Expr): Expr {
  return { node: 'compare', op, kind, left: expr, right };
}

function bindAll(compared: Compared, value: unknown, pointer: string, scope: PlanScope): Expr[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  return list.map((one, index) => bind(compared, one, pointer, scope, index));
}

/** A value of the condition at a pointer, `index` being its place in a list. */
function bind(
  compared: Compared,
  value: unknown,
  pointer: string,
  scope: PlanScope,
  index?: number,
): Expr {
  const bound = bindValue(value, compared.kind, scope.constants);
  if ('value' in bound) return { node: 'param', value: bound.value, kind: compared.kind };
  const at = index === undefined ? `${pointer}/value` : `${pointer}/value/${index}`;
  const message = `${describe(compared)}: ${bound.message}`;
  report(scope.problems, { pointer: at, code: 'value', message });
  return NOTHING;
}

/** A pattern that ends within an escape is an error in some engines, on the first row they compare. */
function bindPattern(compared: Compared, value: unknown, pointer: string, scope: PlanScope): Expr {
  const trailing = typeof value === 'string' ? (/\\*$/.exec(value)?.[0].length ?? 0) : 0;
  if (trailing % 2 === 1) {
    const message = 'The pattern ends with a backslash that escapes nothing: write two.';
    report(scope.problems, { pointer: `${pointer}/value`, code: 'value', message });
  }
  return bind(compared, value, pointer, scope);
}
