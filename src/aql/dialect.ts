import type { FieldKind } from '../schema/field-type.js';
import type { TableIdentity } from '../schema/model.js';
import type { BuiltInFunction, ComparisonOperator } from './expression.js';
import type { JoinType } from './model.js';

/**
 * What differs between databases when a plan becomes SQL. The common SQL is written once (`render.ts`) and asks the
 * dialect for these pieces; every `sql` argument is a finished SQL expression.
 */
export interface Dialect {
  readonly name: string;
  readonly joinTypes: readonly JoinType[];
  /** The longest identifier the engine keeps apart, in bytes; longer output names are refused. */
  readonly identifierBytesMax: number;
  /** Quotes one identifier; throws on NUL. */
  quoteIdentifier(name: string): string;
  /** The table named in full. */
  table(identity: TableIdentity): string;
  /** The placeholder of the `index`-th (1-based) value, with the cast that gives it its kind. */
  placeholder(index: number, kind: FieldKind): string;
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
  /** Case-sensitive, by code point; the pattern's escape character is the backslash. */
  like(operand: string, pattern: string, negated: boolean): string;
  /** A text as a key of ORDER BY, GROUP BY, DISTINCT, min and max: in the binary collation. */
  textKey(sql: string): string;
  orderBy(sql: string, direction: 'ASC' | 'DESC', nulls: 'first' | 'last'): string;
  aggregate(fn: 'count' | 'count_distinct' | 'sum' | 'avg' | 'min' | 'max', operand: string, kind: FieldKind, ordered: boolean): string;
  limit(limit: number, offset: number): string;
}
