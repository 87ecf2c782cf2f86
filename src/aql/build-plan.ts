import { type Problem, VkitError } from '../errors/index.js';
import { CONSTANT_BOUNDS } from './bind-value.js';
import { checkSealed } from './check-sealed.js';
import type { Dialect } from './dialect.js';
import type { Expr } from './expression.js';
import { report } from './input-checks.js';
import { joinKind, KIND_ABILITIES } from './kind-abilities.js';
import { JOIN_TYPES, type JoinType } from './model.js';
import type { Plan, PlanJoin, PlanSource, TableExpectation } from './plan.js';
import type { PlanColumn } from './plan-columns.js';
import { planFilters } from './plan-filters.js';
import { planLimit, type RowLimits } from './plan-limit.js';
import { type Grouping, type GroupKey, planGroupKey, planOrder, rowKeys } from './plan-order.js';
import { planOutputs } from './plan-outputs.js';
import type { PlanScope, TokenAccess } from './plan-scope.js';
import { planSources } from './plan-sources.js';
import type { ResolvedJoin, ResolvedQuery } from './resolved-query.js';
import { usedFields } from './used-fields.js';
import { isFullyRaw, type Visibility } from './visibility.js';

export interface PlanInput {
  /** Without unknown names or problems, and with `"*"` expanded. */
  resolved: ResolvedQuery;
  visibility: Visibility;
  limits: RowLimits;
  /** Absent where the plan is made to be checked and not run. */
  tokens?: TokenAccess | undefined;
  /** What the datasource's engine can say; default all there is. */
  dialect?: Pick<Dialect, 'joinTypes' | 'constants'>;
}

const ANY_DIALECT = { joinTypes: JOIN_TYPES, constants: CONSTANT_BOUNDS };

export interface PlannedQuery {
  plan: Plan;
  /** The rows the requester gets at most; the plan may fetch one more. */
  rowsMax: number;
  /** Whether a row beyond `rowsMax` means that a cap cut the answer. */
  truncatable: boolean;
}

/**
 * Attaches types and masks to a resolved query that the policies allow. What its types or masks do not allow comes back
 * as problems, all at once. Throws `internal` for what must not get here: a query with unknown names, or one that touches
 * a hidden field.
 */
export function buildPlan(input: PlanInput): PlannedQuery | { problems: readonly Problem[] } {
  const { resolved, visibility, limits, tokens, dialect = ANY_DIALECT } = input;
  if (resolved.unknown.length > 0 || resolved.problems.length > 0 || resolved.star) {
    throw new VkitError('internal', 'A query came to be planned before its names were settled.');
  }
  const raw = resolved.sources.map((source) => isFullyRaw(source, visibility));
  const guarded = raw.includes(false);
  const isOfRows = resolved.aggregates.length === 0 && resolved.groupBy.length === 0;
  const keys =
    guarded && isOfRows ? rowKeys(resolved, visibility) : { columns: [], outputs: false };
  const used = guarded ? usedFields(resolved, keys.columns) : [];
  const { sources, column } = planSources(resolved.sources, { raw, used, visibility });
  const { joinTypes, constants } = dialect;
  const scope: PlanScope = { column, guarded, constants, problems: [], tokens };

  checkJoinTypes(resolved.joins, joinTypes, scope);
  const grouping = planGrouping(resolved, scope);
  const joins = resolved.joins.map((join) => planJoin(join, sources, scope));
  const where = planFilters(resolved.filters, scope);
  const having = planFilters(resolved.having, scope);
  const outputs = planOutputs(resolved, grouping, scope);
  const orderBy = planOrder(resolved, keys, outputs, grouping, scope);
  const [from] = sources;
  if (scope.problems.length > 0) return { problems: scope.problems };
  if (from === undefined || outputs.length === 0) {
    throw new VkitError('internal', 'A query without any output came to be planned.');
  }
  const { limit, rowsMax, truncatable } = planLimit(resolved.limit, resolved.offset, limits);
  const plan: Plan = {
    from,
    joins,
    where,
    outputs,
    groupBy: grouping.state === 'groups' ? grouping.keys.map((key) => key.expr) : [],
    having,
    orderBy,
    limit,
    offset: resolved.offset,
    tables: tableExpectations(resolved),
  };
  checkSealed(plan);
  return { plan, rowsMax, truncatable };
}

function planGrouping(resolved: ResolvedQuery, scope: PlanScope): Grouping {
  if (resolved.having.length > 0 && resolved.aggregates.length + resolved.groupBy.length === 0) {
    const message =
      '`having` needs `aggregates` or `group_by`; conditions on rows go into `filters`.';
    report(scope.problems, { pointer: '/having', code: 'having_without_groups', message });
  }
  if (resolved.aggregates.length === 0 && resolved.groupBy.length === 0) return { state: 'rows' };
  const selected = resolved.columns.flatMap((column) => ('ref' in column ? [column] : []));
  const groups = resolved.groupBy.length > 0 ? resolved.groupBy : selected;
  if (groups.length === 0) return { state: 'one' };
  const keys = groups.map(({ ref, pointer }): GroupKey => {
    const column = scope.column(ref);
    if (!KIND_ABILITIES[column.kind].equality) {
      const message = `Rows cannot be grouped by ${column.label}, which is ${column.type}.`;
      report(scope.problems, { pointer, code: 'unsupported_on_type', message });
    }
    return planGroupKey(column, scope);
  });
  return { state: 'groups', keys };
}

function checkJoinTypes(
  joins: readonly ResolvedJoin[],
  joinTypes: readonly JoinType[],
  scope: PlanScope,
): void {
  for (const { type, pointer } of joins) {
    if (joinTypes.includes(type)) continue;
    const message = `This datasource has no ${type} join, only ${joinTypes.join(', ')}.`;
    report(scope.problems, { pointer: `${pointer}/type`, code: 'unsupported_join', message });
  }
}

function planJoin(join: ResolvedJoin, sources: readonly PlanSource[], scope: PlanScope): PlanJoin {
  const items: Expr[] = [];
  for (const pair of join.pairs) {
    const left = scope.column(pair.left);
    const right = scope.column(pair.right);
    checkConstant(left, pair.pointer, scope);
    checkConstant(right, pair.pointer, scope);
    checkTokens(left, right, pair.pointer, scope);
    const kind = joinKind(left.kind, right.kind);
    if (kind === undefined) {
      const message = `${left.label} (${left.type}) and ${right.label} (${right.type}) cannot be joined.`;
      report(scope.problems, { pointer: pair.pointer, code: 'unsupported_on_type', message });
    } else {
      items.push({ node: 'compare', op: 'eq', kind, left: left.expr, right: right.expr });
    }
  }
  const [only] = items;
  const on: Expr = items.length === 1 && only !== undefined ? only : { node: 'and', items };
  return { type: join.type, source: sources[join.source] as PlanSource, on };
}

/** A mask that shows the same for every value tells no rows apart. */
function checkConstant({ masked, label }: PlanColumn, pointer: string, scope: PlanScope): void {
  if (masked !== 'full' && masked !== 'nullify') return;
  const message = `${label} is masked (${masked}): joining on it would join every row with every other.`;
  report(scope.problems, { pointer, code: 'unsupported_on_masked', message });
}

/** A readable field beside a token would give its value away, and so would one that is tokenized under another key. */
function checkTokens(left: PlanColumn, right: PlanColumn, pointer: string, scope: PlanScope): void {
  if (left.token?.domain === right.token?.domain) return;
  const [one, other] = left.token === undefined ? [right, left] : [left, right];
  const message =
    other.token === undefined
      ? `${one.label} is masked (tokenize) and ${other.label} is not: tokens are joined with tokens alone.`
      : `${one.label} and ${other.label} are tokenized under different classifications.`;
  report(scope.problems, { pointer, code: 'unsupported_on_masked', message });
}

/** Each dataset once. */
function tableExpectations(resolved: ResolvedQuery): TableExpectation[] {
  const tables: TableExpectation[] = [];
  for (const { dataset } of resolved.sources) {
    if (!tables.includes(dataset.expectation)) tables.push(dataset.expectation);
  }
  return tables;
}
