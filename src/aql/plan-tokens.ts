import { isToken } from '../masking/token-codec.js';
import type { FieldKind } from '../schema/field-type.js';
import { bindValue } from './bind-value.js';
import type { Expr } from './expression.js';
import { report } from './input-checks.js';
import type { FilterOperator } from './model.js';
import type { TokenizedOutput } from './plan.js';
import type { PlanScope } from './plan-scope.js';

/** A tokenized field in a condition. */
interface TokenizedOperand {
  expr: Expr;
  /** Of the raw value. */
  kind: FieldKind;
  label: string;
  token: TokenizedOutput;
}

/**
 * `is_null`, `is_not_null`, `eq`, `neq`, `in` and `not_in` over tokens, which are opened and compared with the raw value.
 * A token that does not authenticate is a problem; one that holds what the field cannot (the same classification, another
 * type) is as one of a value that no row has.
 */
export function planTokenCondition(
  operator: FilterOperator,
  operand: TokenizedOperand,
  value: unknown,
  pointer: string,
  scope: PlanScope,
): Expr {
  const { expr, kind } = operand;
  switch (operator) {
    case 'is_null':
    case 'is_not_null':
      return { node: 'is_null', operand: expr, negated: operator === 'is_not_null' };
    case 'eq':
    case 'neq': {
      const right = openToken(operand, value, pointer, scope);
      return right === undefined
        ? sameForEveryValue(operand, operator === 'neq')
        : { node: 'compare', op: operator, kind, left: expr, right };
    }
    default: {
      const negated = operator === 'not_in';
      const tokens: readonly unknown[] = Array.isArray(value) ? value : [];
      if (tokens.length === 0) return { node: 'boolean', value: negated };
      const values = tokens
        .map((token, index) => openToken(operand, token, `${pointer}/${index}`, scope))
        .filter((one) => one !== undefined);
      if (values.length === 0) return sameForEveryValue(operand, negated);
      return { node: 'in', kind, operand: expr, values, negated };
    }
  }
}

/** The raw value as a parameter; `undefined` for one that the field's type cannot have, or with a problem noted. */
function openToken(
  { kind, label, token }: TokenizedOperand,
  value: unknown,
  pointer: string,
  scope: PlanScope,
): Expr | undefined {
  const text =
    typeof value === 'string' && scope.tokens !== undefined
      ? scope.tokens.open(value, token.domain)
      : undefined;
  if (text !== undefined) {
    const bound = bindValue(text, kind, scope.constants);
    // What is written differently is another value: a number without its zeros, a UUID in capitals.
    return 'value' in bound && bound.value === text
      ? { node: 'param', value: text, kind }
      : undefined;
  }
  if (scope.tokens === undefined && typeof value === 'string' && isToken(value))
    return { node: 'unopened' };
  const message = `${label} is masked (tokenize): the value must be a token of it, as answers show them.`;
  report(scope.problems, { pointer, code: 'value', message });
  return undefined;
}

/** False (or true) for every value, and unknown for NULL. */
function sameForEveryValue({ expr, kind }: TokenizedOperand, outcome: boolean): Expr {
  return { node: 'compare', op: outcome ? 'eq' : 'neq', kind, left: expr, right: expr };
}

/**
 * What tokenized values are ordered by where the order of rows must be total: SHA-256 over the grant's salt and the
 * value, which says nothing of the value to anybody who does not know the salt. NULL stays NULL.
 */
export function tokenOrder(expr: Expr, kind: FieldKind, scope: PlanScope): Expr {
  const salt: Expr =
    scope.tokens === undefined
      ? { node: 'unopened' }
      : { node: 'param', value: scope.tokens.orderSalt, kind: 'text' };
  const salted: Expr = { node: 'call', fn: 'concat', args: [salt, textOf(expr, kind)] };
  return {
    node: 'case',
    branches: [
      {
        when: { node: 'is_null', operand: expr, negated: false },
        result: { node: 'null', type: 'text' },
      },
    ],
    otherwise: { node: 'call', fn: 'sha256_hex', args: [salted] },
  };
}

function textOf(expr: Expr, kind: FieldKind): Expr {
  if (kind === 'text' || kind === 'integer') return { node: 'call', fn: 'to_text', args: [expr] };
  return { node: 'call', fn: kind === 'numeric' ? 'decimal_text' : 'identity_key', args: [expr] };
}
