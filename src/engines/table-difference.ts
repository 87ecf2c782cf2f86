import type { TableExpectation } from '../aql/plan.js';
import type { TableKind } from '../schema/model.js';

/** A table as it is now, as far as a query's expectation speaks of it. */
export interface LiveTable {
  kind: TableKind;
  /** Absent where the engine has none that it is compared by. */
  oid?: number;
  definition_digest?: string;
  columns: readonly { name: string; type: string; position: number }[];
}

/**
 * The first way in which a table is not the one that was reviewed, as a sentence for the operator;
 * `undefined` where there is none. Columns that nobody expects are no difference: a query cannot name
 * them.
 */
export function tableDifference(
  expected: TableExpectation,
  live: LiveTable | undefined,
): string | undefined {
  if (!live) return 'The table is gone.';
  if (expected.kind !== undefined && expected.kind !== live.kind) {
    return `It was a ${expected.kind} and is a ${live.kind}.`;
  }
  if (expected.oid !== undefined && live.oid !== undefined && expected.oid !== live.oid) {
    return 'Another table has its name, or it was made anew.';
  }
  const digest = expected.definition_digest;
  if (digest !== undefined && digest !== live.definition_digest) {
    return 'The definition of the view changed.';
  }
  const columns = new Map(live.columns.map((column) => [column.name, column]));
  for (const { name, type, position } of expected.columns) {
    const column = columns.get(name);
    if (!column) return `Column "${name}" is gone.`;
    if (column.type !== type) return `Column "${name}" was ${type} and is ${column.type}.`;
    if (position !== undefined && column.position !== position) {
      return `Column "${name}" stood at position ${position} and stands at ${column.position}.`;
    }
  }
  return undefined;
}
