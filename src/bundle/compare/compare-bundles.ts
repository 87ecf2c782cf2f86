import { compareText } from '../../policy/policy-set.js';
import type { Bundle } from '../model.js';
import { compareContent } from './compare-content.js';
import { comparePointers } from './compare-pointers.js';
import { compareReference } from './compare-reference.js';
import type { Target } from './decide-cells.js';
import { countCells, dimensionsOf } from './dimensions.js';
import { extraPolicies } from './extra-policies.js';
import {
  type BundleComparison,
  type DecisionChange,
  DIRECTIONS,
  type Direction,
  type Pair,
  type RequesterChange,
} from './model.js';
import { fieldNames, planReferences, type ReferencePlan } from './plan-references.js';
import type { RolesAtOnce } from './role-sets.js';
import { type Side, sidesOf } from './side.js';
import { createWarnings } from './warnings.js';

/** Policies times cells that are decided in all: about a minute. What is beyond is not compared, and said. */
const VERDICTS_MAX = 100_000_000;
/** What one decision costs beside its policies. */
const VERDICTS_OF_DECISION = 50;
/** As many changes as are listed; the others are counted. */
const CHANGES_MAX = 20_000;

/** What was found for one signature, of the reference that had it first. `null`: too much to compare. */
type Compared = {
  changes: readonly RequesterChange[];
  cells: number;
  rolesAtOnce: RolesAtOnce;
  first: ReferencePlan;
} | null;

/**
 * How decisions differ between two bundles: for every requester that the policies tell apart, and every field and dataset of
 * either bundle, what is decided by the first and by the second. A field is decided as if a query touched it alone, and
 * beside the others of a `fields.all`. Pure, and the same bundles give the same comparison. What a bundle does not have is
 * denied, so a field that only one of them knows is compared with nothing.
 *
 * Requests that narrow themselves get no more than plain ones, and agents that act for a person the stricter of two cells; they
 * are not compared of their own.
 */
export function compareBundles(a: Bundle, b: Bundle): BundleComparison {
  const sides = sidesOf(a, b);
  const warnings = createWarnings();
  const compare = rememberingComparer();
  const changes: DecisionChange[] = [];
  let references = 0;
  let cells = 0;
  for (const name of datasetNames(sides)) {
    references += 1 + countFields(sides, name);
    for (const plan of planReferences(sides, name)) {
      if (plan.isSame) continue;
      const compared = compare(plan);
      if (compared === null) {
        warnings.notCompared(plan);
        continue;
      }
      if (compared.rolesAtOnce !== 'all') warnings.fewRoles(plan, compared.rolesAtOnce);
      cells += compared.cells;
      const rename = renaming(compared.first, plan);
      for (const change of compared.changes) changes.push(decisionChange(rename(change), plan));
    }
  }
  const pointers = comparePointers(a, b);
  const count = (direction: Direction) =>
    [...changes, ...pointers].filter((change) => change.direction === direction).length;
  const summary = {
    widening: count('widening'),
    changed: count('changed'),
    narrowing: count('narrowing'),
    references,
    cells_compared: cells,
    not_compared: warnings.count(),
  };
  // Plans come by dataset and field, and sorting keeps that order.
  const rank = (change: DecisionChange) => DIRECTIONS.indexOf(change.direction);
  const listed = changes.sort((x, y) => rank(x) - rank(y)).slice(0, CHANGES_MAX);
  const said = warnings.sentences(changes.length - listed.length);
  return {
    summary,
    changes: listed,
    bundle_changes: pointers,
    ...compareContent(a, b),
    truncated: said.length > 0,
    warnings: said,
  };
}

function datasetNames({ a, b }: Pair<Side>): readonly string[] {
  return [...new Set([...a.datasets.keys(), ...b.datasets.keys()])].sort(compareText);
}

function countFields({ a, b }: Pair<Side>, name: string): number {
  const half = (side: Side) => {
    const dataset = side.datasets.get(name);
    return dataset === undefined ? null : { dataset };
  };
  return fieldNames({ a: half(a), b: half(b) }).length;
}

/** Compares each signature once, as long as the work that is left allows it. */
function rememberingComparer(): (plan: ReferencePlan) => Compared {
  const memo = new Map<string, Compared>();
  let left = VERDICTS_MAX;
  const compare = (plan: ReferencePlan): Compared => {
    const { targets, field, together, pivotal, known } = plan;
    const policies = [...(targets.a?.policies ?? []), ...(targets.b?.policies ?? [])];
    const extra = extraPolicies(targets, field);
    const chosen = dimensionsOf({ policies, pivotal, extra }, known);
    if (chosen === null) return null;
    const cells = countCells(chosen.dimensions) * (1 + together.length);
    const cost = cells * (policies.length + VERDICTS_OF_DECISION);
    if (cost > left) return null;
    left -= cost;
    const changes = compareReference({ targets, field, together, dimensions: chosen.dimensions });
    return { changes, cells, rolesAtOnce: chosen.rolesAtOnce, first: plan };
  };
  return (plan) => {
    const known = memo.get(plan.signature);
    if (known !== undefined) return known;
    const compared = compare(plan);
    memo.set(plan.signature, compared);
    return compared;
  };
}

/** Names the policies of a reference instead of those at the same places of the one that was compared. */
function renaming(
  first: ReferencePlan,
  plan: ReferencePlan,
): (of: RequesterChange) => RequesterChange {
  if (first === plan) return (change) => change;
  const names = (from: Target | null, to: Target | null) =>
    new Map(from?.policies.map(({ id }, place) => [id, to?.policies[place]?.id ?? id]));
  const before = names(first.targets.a, plan.targets.a);
  const after = names(first.targets.b, plan.targets.b);
  const renamed = (ids: readonly string[], map: ReadonlyMap<string, string>) =>
    ids.map((id) => map.get(id) ?? id).sort(compareText);
  return (change) => ({
    ...change,
    policies: {
      from: renamed(change.policies.from, before),
      to: renamed(change.policies.to, after),
    },
  });
}

function decisionChange(
  change: RequesterChange,
  { dataset, field, whereabouts: { a, b } }: ReferencePlan,
): DecisionChange {
  const isMoved = a !== null && b !== null && JSON.stringify(a) !== JSON.stringify(b);
  const here = b ?? a;
  return {
    ...change,
    dataset,
    field,
    environment: here?.environment ?? null,
    dataset_region: here?.dataset_region ?? null,
    moved: isMoved ? { from: a, to: b } : null,
  };
}
