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
    const { expr, kind, type, masked, label, token } = scope.column(ref);
    const column = { name: nameOf(ref), type, ...(masked !== undefined && { masked }) };
    const sealed = token === undefined ? {} : { token };
    if (grouping.state !== 'groups') {
      add({ column, expr, kind, ...sealed }, pointer);
      continue;
    }
    const key = groupKey(scope.column(ref), scope);
    if (!grouping.keys.some((one) => sameExpr(one.expr, key))) {
      const message = `${label} is selected but not in group_by.`;
      report(scope.problems, { pointer, code: 'not_grouped', message });
    }
    add({ column, expr: key, kind, ...sealed }, pointer);
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
  const owners = new Map<string, Set<number>>();
  for (const selected of resolved.columns) {
    if (!('ref' in selected)) continue;
    const { field, source } = selected.ref;
    owners.set(field, (owners.get(field) ?? new Set()).add(source));
  }
  return ({ field, source }) => {
    if ((owners.get(field)?.size ?? 0) < 2) return field;
    return `${resolved.sources[source]?.label}.${field}`;
  };
}
