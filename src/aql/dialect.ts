import type { FieldKind } from '../schema/field-type.js';
import type { TableIdentity } from '../schema/model.js';
import type { ConstantBounds } from './bind-value.js';
import type { BoundValue, BuiltInFunction, ComparisonOperator } from './expression.js';
import type { AggregateFunction, JoinType } from './model.js';

/**
 * What differs between databases when a plan becomes SQL. The common SQL is written once (`render.ts`) and asks the
 * dialect for these pieces; every `sql` argument is a finished SQL expression. A dialect may repeat an argument: a value
 * that then occurs twice is bound twice, or shares its number where placeholders are numbered.
 */
export interface Dialect {
  readonly name: string;
  readonly joinTypes: readonly JoinType[];
  readonly constants: ConstantBounds;
  /** Whether a placeholder names its value (`$1`) or stands for the next one (`?`). */
  readonly placeholdersNumbered: boolean;
  /** Quotes one identifier; throws `unsupported` on NUL, which no engine takes. */
  quoteIdentifier(name: string): string;
  /** The table named in full. */
  table(identity: TableIdentity): string;
  /**
   * The placeholder of the `index`-th (1-based) value, with the cast that gives it its kind. The cast may depend on the size
   * of the value, and on nothing else of it.
   */
  placeholder(index: number, kind: FieldKind, value: BoundValue): string;
  /** The value as the driver takes it (SQLite binds no booleans). */
  bind(value: BoundValue, kind: FieldKind): BoundValue;
  /** A constant text of vkit's own (masks), as a literal of type text. */
  textLiteral(value: string): string;
  booleanLiteral(value: boolean): string;
  /** NULL with a normalised type. */
  nullOf(type: string): string;
  /** A column as it is read: what the engine would not compare or return as its kind is cast here (enum to text). */
  column(sql: string, kind: FieldKind, type: string): string;
  call(fn: BuiltInFunction, args: readonly string[]): string;
  /** Equality and ranges; text is equal if its code points are, and sorts by code point. */
  compare(op: ComparisonOperator, kind: FieldKind, left: string, right: string): string;
  /** Whether a column of a kind is NULL, where `IS NULL` says something else of it. */
  isNull?(column: string, kind: FieldKind): string;
  /** Membership in a list of at least one value, by the equality of `compare`. */
  inList(kind: FieldKind, operand: string, values: readonly string[], negated: boolean): string;
  /** Case-sensitive, by code point; the pattern's escape character is the backslash. */
  like(operand: string, pattern: string, negated: boolean): string;
  /** An expression as a key of ORDER BY and GROUP BY: text in the binary collation. */
  key(sql: string, kind: FieldKind): string;
  /** A key of GROUP BY where SELECT and ORDER BY name it; absent where they may repeat it as it is. */
  groupedKey?(sql: string): string;
  /** `neverNull` is whether the key cannot be NULL, so that an engine that has to say where NULL goes need not. */
  orderBy(
    sql: string,
    direction: 'ASC' | 'DESC',
    nulls: 'first' | 'last',
    neverNull: boolean,
  ): string;
  /** `operand` is null for `count(*)`; `ordered` fixes the order in which floats are added up. */
  aggregate(
    fn: AggregateFunction,
    operand: string | null,
    kind: FieldKind,
    ordered: boolean,
  ): string;
  /**
   * An aggregate where it is compared or sorted by, since SQLite writes exact sums as text. `sql` is what `aggregate` made
   * of the operand.
   */
  aggregateOperand(
    sql: string,
    fn: AggregateFunction,
    kind: FieldKind,
    operand: string | null,
  ): string;
  limit(limit: number, offset: number): string;
}
