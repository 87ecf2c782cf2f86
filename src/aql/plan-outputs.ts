import type { FieldKind } from '../schema/field-type.js';
import { quoted, report } from './input-checks.js';
import { AQL_LIMITS } from './model.js';
import type { PlanOutput } from './plan.js';
import { groupKey, planAggregate } from './plan-aggregates.js';
import { type Grouping, sameExpr } from './plan-order.js';
import type { PlanScope } from './plan-scope.js';
import type { FieldRef, ResolvedQuery } from './resolved-query.js';

/** A column of the answer with the kind of its expression, as its order needs it. */
export type PlannedOutput = PlanOutput & { kind: FieldKind };

/** The selected columns, then the aggregates, each under a name that is its own. */
export function planOutputs(
  resolved: ResolvedQuery,
  grouping: Grouping,
  scope: PlanScope,
): PlannedOutput[] {
  const outputs: PlannedOutput[] = [];
  const names = new Set<string>();
  function add(output: PlannedOutput, pointer: string): void {
    const { name } = output.column;
    if (names.has(name)) {
      const message = `Two output columns are called ${quoted(name)}.`;
      const suggestion = 'Select a field once, and give aggregates an `alias` of their own.';
      report(scope.problems, { pointer, code: 'duplicate_output', message, suggestion });
    }
    names.add(name);
    outputs.push(output);
  }
  const nameOf = columnNames(resolved);
  for (const selected of resolved.columns) {
    if (!('ref' in selected)) continue;
    const { ref, pointer } = selected;
    const planned = scope.column(ref);
    const { expr, kind, type, masked, label, token } = planned;
    const name = nameOf(ref);
    const column = masked === undefined ? { name, type } : { name, type, masked };
    const output: PlannedOutput =
      token === undefined ? { column, expr, kind } : { column, expr, kind, token };
    if (grouping.state === 'groups') {
      output.expr = groupKey(planned, scope);
      if (!grouping.keys.some((one) => sameExpr(one.expr, output.expr))) {
        const message = `${label} is selected but not in group_by.`;
        report(scope.problems, { pointer, code: 'not_grouped', message });
      }
    }
    add(output, pointer);
  }
  for (const { func, ref, name, pointer } of resolved.aggregates) {
    const aggregate = planAggregate(func, ref, `${pointer}/field`, scope);
    if (aggregate === undefined) continue;
    const { expr, kind, type, masked } = aggregate;
    add({ column: { name, type, ...(masked && { masked }) }, expr, kind }, pointer);
  }
  if (outputs.length > AQL_LIMITS.outputsMax) {
    const message = `An answer has at most ${AQL_LIMITS.outputsMax} columns: name those you need.`;
    report(scope.problems, { pointer: '/columns', code: 'limit', message });
  }
  return outputs;
}

/** A field's own name, or `<dataset or alias>.<field>` where the query selects that name from two datasets. */
function columnNames(resolved: ResolvedQuery): (ref: FieldRef) => string {
  const refs = resolved.columns.flatMap((selected) => ('ref' in selected ? [selected.ref] : []));
  const shared = new Set<string>();
  // One dataset has no two fields of a name.
  if (refs.some(({ source }) => source !== refs[0]?.source)) {
    const owners = new Map<string, number>();
    for (const { field, source } of refs) {
      if ((owners.get(field) ?? source) !== source) shared.add(field);
      owners.set(field, source);
    }
  }
  return ({ field, source }) =>
    shared.has(field) ? `${resolved.sources[source]?.label}.${field}` : field;
}
