import type { FieldKind } from '../schema/field-type.js';

/** The built-in functions a query may use; each dialect names its own equivalent, which no user-defined one can replace. */
export type BuiltInFunction =
  /** Text of text-like values (enum, char) or the decimal text of an integer. */
  | 'to_text'
  /** Decimal text of a numeric without trailing zeros. */
  | 'decimal_text'
  /** concat(a, b, …): arguments are never null where it is used. */
  | 'concat'
  /** left(text, n), right(text, n): n is a constant; characters are code points. */
  | 'left'
  | 'right'
  | 'char_length'
  /** Lowercase hex of SHA-256 over the UTF-8 bytes of a text; null stays null. */
  | 'sha256_hex'
  /** A key under which only values that are written alike are equal: 1.0 and 1.00 differ. Any kind. */
  | 'identity_key'
  /** A numeric without trailing zeros, still a numeric. */
  | 'canonical_numeric';

/** A value a query binds, already checked against its kind. Numbers beyond 2^53, numerics, dates and uuids are text. */
export type BoundValue = string | number | boolean | Uint8Array;

export type ComparisonOperator = 'eq' | 'neq' | 'lt' | 'lte' | 'gt' | 'gte';

/**
 * An SQL expression before any dialect. Masks are built from it, so no engine knows a mask; constants in it come from
 * vkit's own code alone, everything a requester wrote is a `param`.
 */
export type Expr =
  /** `sealed` is the token domain of a raw value that must not be seen; `checkSealed` says where such a column may stand. */
  | { node: 'column'; source: string; name: string; kind: FieldKind; type: string; sealed?: string }
  | { node: 'text'; value: string }
  | { node: 'integer'; value: number }
  /** NULL with a column's type. */
  | { node: 'null'; type: string }
  | { node: 'param'; value: BoundValue; kind: FieldKind }
  /** A value that only the data plane knows, in a plan that was made to be checked: it is never written as SQL. */
  | { node: 'unopened' }
  | { node: 'call'; fn: BuiltInFunction; args: readonly Expr[] }
  | { node: 'case'; branches: readonly { when: Expr; result: Expr }[]; otherwise: Expr }
  /** `kind` is the kind both sides have; text is compared as aql.md says. */
  | { node: 'compare'; op: ComparisonOperator; kind: FieldKind; left: Expr; right: Expr }
  | { node: 'like'; operand: Expr; pattern: Expr; negated: boolean }
  | { node: 'in'; kind: FieldKind; operand: Expr; values: readonly Expr[]; negated: boolean }
  | { node: 'is_null'; operand: Expr; negated: boolean }
  | { node: 'and'; items: readonly Expr[] }
  | { node: 'or'; items: readonly Expr[] }
  | { node: 'not'; item: Expr }
  | { node: 'boolean'; value: boolean }
  /** The operand as a key of ORDER BY and GROUP BY: text by its code points. */
  | { node: 'key'; kind: FieldKind; operand: Expr }
  /** `operand: null` is `count(*)`. `ordered` fixes the order of summation, for floats. */
  | {
      node: 'aggregate';
      fn: 'count' | 'count_distinct' | 'sum' | 'avg' | 'min' | 'max';
      operand: Expr | null;
      kind: FieldKind;
      ordered: boolean;
    };
