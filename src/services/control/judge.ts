import { buildPlan } from '../../aql/build-plan.js';
import { expandStar } from '../../aql/expand-star.js';
import type { Aql } from '../../aql/model.js';
import type { Plan } from '../../aql/plan.js';
import type { TokenAccess } from '../../aql/plan-scope.js';
import { resolveAql } from '../../aql/resolve.js';
import type { ResolvedQuery } from '../../aql/resolved-query.js';
import type { FieldVisibility } from '../../aql/visibility.js';
import type { BundleDatasource } from '../../bundle/model.js';
import { engineByName } from '../../engines/index.js';
import { type Problem, VkitError } from '../../errors/index.js';
import type { Mask } from '../../masking/model.js';
import { effectiveMasks, referenceKey } from '../../policy/combine-decisions.js';
import { evaluate } from '../../policy/evaluate.js';
import type { Decision, EvaluationInput, Narrowing } from '../../policy/model.js';
import { strictestMask } from '../../policy/strictest-mask.js';
import { fieldVisibility } from '../../policy/visibility.js';
import type { ActiveBundle } from './active-bundle.js';
import { type Identity, requesterOf } from './identity.js';
import { bundleFor } from './open-datasources.js';

export interface Judgement {
  decision: Decision;
  resolved: ResolvedQuery;
  /** The one datasource of the query; null where a dataset is unknown. */
  datasource: BundleDatasource | null;
  input: EvaluationInput;
}

export interface Question {
  aql: Aql;
  narrowing: Narrowing;
  purpose: string | null;
  /** Milliseconds since the epoch. */
  at: number;
  trace?: boolean;
}

/**
 * What the active policies say of a query by an identity with its present attributes. Pure but for its arguments; an
 * error thrown by it is a denial at the caller, never an allow.
 */
export function judge(whole: ActiveBundle, identity: Identity, question: Question): Judgement {
  const active = bundleFor(whole, identity);
  const base: Omit<EvaluationInput, 'references'> = {
    requester: requesterOf(identity),
    ...(identity.onBehalfOf ? { onBehalfOf: identity.onBehalfOf.requester } : {}),
    narrowing: question.narrowing,
    ...(question.purpose === null ? {} : { purpose: question.purpose }),
    at: question.at,
    ...(question.trace ? { trace: true } : {}),
  };
  const written = resolveAql(question.aql, active.catalog);
  const resolved = written.star ? expandReadable(active, written, base) : written;
  const input = { ...base, references: resolved.references };
  const decision = evaluate(active.policies, input);
  return { decision, resolved, datasource: datasourceOf(active, resolved), input };
}

/** `"*"` selects every field whose decision is not deny. */
function expandReadable(
  active: ActiveBundle,
  written: ResolvedQuery,
  base: Omit<EvaluationInput, 'references'>,
): ResolvedQuery {
  const input = { ...base, references: written.references };
  const visible = memoise((dataset: string) => fieldVisibility(active.policies, input, dataset));
  return expandStar(written, (dataset, field) => {
    const state = visible(dataset).get(field)?.state;
    return state !== undefined && state !== 'hidden';
  });
}

function datasourceOf(active: ActiveBundle, resolved: ResolvedQuery): BundleDatasource | null {
  return (
    active.bundle.registry.datasources.find(({ name }) => name === resolved.datasource) ?? null
  );
}

export interface PlanOptions {
  /** Whether the approvals the decision asks for were given. */
  approved: boolean;
  rowCap: number;
  /** What the grant says: its masks are added to those of the decision, the smaller number of rows holds. */
  grant?: { masks: Readonly<Record<string, Mask>>; maxRows: number | null };
  /** Absent where the plan is made to be checked and not run. */
  tokens?: TokenAccess;
}

export interface PlannedQuery {
  plan: Plan;
  /** Rows of the answer at most; the plan may ask for one more, to tell whether it was cut. */
  rowsMax: number;
  truncatable: boolean;
}

/**
 * The plan of a judged query with every mask in place, `approved` telling whether the approvals it needs were given.
 * Throws `validation` with every problem. A decision that denies is never planned.
 */
export function planQuery(
  active: ActiveBundle,
  {
    decision,
    resolved,
    input,
    datasource,
  }: Pick<Judgement, 'decision' | 'resolved' | 'input' | 'datasource'>,
  options: PlanOptions,
): PlannedQuery {
  if (decision.action === 'deny' || resolved.unknown.length > 0) {
    throw new VkitError('internal', 'A denied query was about to be planned.');
  }
  if (resolved.problems.length > 0) throw invalid(resolved.problems);
  const masks = effectiveMasks(decision, { approved: options.approved });
  const others = memoise((dataset: string) => fieldVisibility(active.policies, input, dataset));
  const visibility = (dataset: string, field: string): FieldVisibility => {
    const own = masks.get(referenceKey(dataset, field));
    if (own !== undefined) return visible(own, granted(options, `${dataset}.${field}`));
    const other = others(dataset).get(field);
    // A field that would need an approval of its own is as hidden from this query as a denied one.
    return other === undefined || other.state === 'approval' ? { state: 'hidden' } : other;
  };
  const engine = engineByName(datasource?.type ?? '');
  const planned = buildPlan({
    resolved,
    visibility,
    ...(engine && { dialect: engine.dialect }),
    limits: {
      maxRows: smallest(decision.max_rows, options.grant?.maxRows ?? null),
      rowCap: options.rowCap,
    },
    tokens: options.tokens,
  });
  if ('problems' in planned) throw invalid(planned.problems);
  return planned;
}

/** The output columns that come masked, as the requester is told. */
export function maskedColumns({ plan }: PlannedQuery): string[] {
  return plan.outputs.flatMap(({ column }) => (column.masked === undefined ? [] : [column.name]));
}

function invalid(problems: readonly Problem[]): VkitError {
  const [first] = problems;
  const message = `The query cannot be run as it is written: ${first?.message ?? 'it is not valid.'}`;
  return new VkitError('validation', message, {
    details: {
      problems: problems.map((problem) => ({
        ...problem,
        pointer: `/aql${problem.pointer ?? ''}`,
      })),
    },
  });
}

/**
 * The query with `"*"` replaced by the fields it stands for at this moment, which is what a grant is for: a field that
 * opens later is not in it.
 */
export function concreteAql(aql: Aql, resolved: ResolvedQuery): Aql {
  if (!aql.columns?.includes('*')) return aql;
  const { columns: _star, ...rest } = aql;
  const columns = resolved.columns.flatMap((column) => {
    if (!('ref' in column)) return [];
    const { source, field } = column.ref;
    return [resolved.sources.length === 1 ? field : `${resolved.sources[source]?.label}.${field}`];
  });
  return columns.length === 0 ? rest : { ...rest, columns };
}

/** Whether the query gives anything back at all, or would but for what is malformed in it. */
export function hasOutput(resolved: ResolvedQuery): boolean {
  return resolved.columns.length + resolved.aggregates.length + resolved.problems.length > 0;
}

function granted(options: PlanOptions, key: string): Mask | null {
  const masks = options.grant?.masks;
  return masks && Object.hasOwn(masks, key) ? (masks[key] ?? null) : null;
}

/** The stricter of what the policies say now and what the grant says. */
function visible(now: Mask | null, grant: Mask | null): FieldVisibility {
  const mask = strictestMask([now, grant].filter((one) => one !== null)) ?? null;
  return mask === null ? { state: 'raw' } : { state: 'masked', mask };
}

function smallest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

function memoise<T>(compute: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>();
  return (key) => {
    const found = known.get(key);
    if (found !== undefined) return found;
    const value = compute(key);
    known.set(key, value);
    return value;
  };
}
