import type { Dialect } from '../aql/dialect.js';
import type { ComparisonOperator } from '../aql/expression.js';

/** How one engine writes what all of them mean by a comparison of texts. */
export interface ExactTextOptions {
  operators: Readonly<Record<ComparisonOperator, string>>;
  /** A text under the collation in which it is equal if its code points are. */
  binary(sql: string): string;
  /** The same for what stands on the right of a comparison, where the left side does not decide for both. */
  binaryRight?(sql: string): string;
  /** The same for a value of a list. */
  binaryValue?(sql: string): string;
  /** `IN (a, b)`, or what the engine has for it. */
  isIn(values: readonly string[], negated: boolean): string;
}

const asItIs = (sql: string): string => sql;

/**
 * Texts are equal if their code points are: the plain comparison, which an index, pruning or clustering can serve, AND a
 * binary one, since a collation may hold more texts equal. Whatever is no equality is binary alone.
 */
export function exactText({
  operators,
  binary,
  binaryRight = asItIs,
  binaryValue = asItIs,
  isIn,
}: ExactTextOptions): Pick<Dialect, 'compare' | 'inList'> {
  return {
    compare(op, kind, left, right) {
      const plain = `${left} ${operators[op]} ${right}`;
      if (kind !== 'text') return `(${plain})`;
      const exact = `${binary(left)} ${operators[op]} ${binaryRight(right)}`;
      return op === 'eq' ? `(${plain} AND ${exact})` : `(${exact})`;
    },
    inList(kind, operand, values, negated) {
      const plain = `${operand} ${isIn(values, negated)}`;
      if (kind !== 'text') return `(${plain})`;
      const exact = `${binary(operand)} ${isIn(values.map(binaryValue), negated)}`;
      return negated ? `(${exact})` : `(${plain} AND ${exact})`;
    },
  };
}

/** `IN` as standard SQL has it. */
export function inTest(values: readonly string[], negated: boolean): string {
  return `${negated ? 'NOT IN' : 'IN'} (${values.join(', ')})`;
}
