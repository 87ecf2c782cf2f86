import { quoted, report } from './input-checks.js';
import { AQL_LIMITS } from './model.js';
import { createOutputNames } from './output-names.js';
import type { PlannedOutput } from './plan.js';
import { groupKey, planAggregate } from './plan-aggregates.js';
import { outputOf, type PlanColumn } from './plan-columns.js';
import { type Grouping, sameExpr } from './plan-order.js';
import type { PlanScope } from './plan-scope.js';
import type { ResolvedQuery } from './resolved-query.js';

/** The selected columns, then the aggregates, each under a name that is its own. */
export function planOutputs(
  resolved: ResolvedQuery,
  grouping: Grouping,
  scope: PlanScope,
): PlannedOutput[] {
  const outputs: PlannedOutput[] = [];
  const names = createOutputNames(resolved);
  for (const selected of resolved.columns) {
    if (!('ref' in selected)) continue;
    const { ref, pointer } = selected;
    const column = scope.column(ref);
    const name = names.of(ref);
    outputs.push(planOutput(name, column, pointer, grouping, scope));
    if (!names.takeField(ref, name)) reportRepeat(name, pointer, scope);
  }
  for (const { func, ref, name, pointer } of resolved.aggregates) {
    const aggregate = planAggregate(func, ref, `${pointer}/field`, scope);
    if (aggregate === undefined) continue;
    outputs.push(outputOf(name, aggregate, aggregate.expr));
    if (!names.take(name)) reportRepeat(name, pointer, scope);
  }
  if (outputs.length > AQL_LIMITS.outputsMax) {
    const message = `An answer has at most ${AQL_LIMITS.outputsMax} columns: name those you need.`;
    report(scope.problems, { pointer: '/columns', code: 'limit', message });
  }
  return outputs;
}

function planOutput(
  name: string,
  column: PlanColumn,
  pointer: string,
  grouping: Grouping,
  scope: PlanScope,
): PlannedOutput {
  const { output } = column;
  if (grouping.state !== 'groups') {
    return output.column.name === name ? output : outputOf(name, column, column.expr);
  }
  const expr = groupKey(column, scope);
  if (!grouping.keys.some((one) => sameExpr(one.expr, expr))) {
    const message = `${column.label} is selected but not in group_by.`;
    report(scope.problems, { pointer, code: 'not_grouped', message });
  }
  return outputOf(name, column, expr);
}

function reportRepeat(name: string, pointer: string, scope: PlanScope): void {
  const message = `Two output columns are called ${quoted(name)}.`;
  const suggestion = 'Select a field once, and give aggregates an `alias` of their own.';
  report(scope.problems, { pointer, code: 'duplicate_output', message, suggestion });
}
