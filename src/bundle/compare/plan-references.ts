import type { Policy } from '../../policy/model.js';
import { compareText } from '../../policy/policy-set.js';
import { foldName } from '../../util/fold-name.js';
import type { BundleDataset } from '../model.js';
import type { Target } from './decide-cells.js';
import type { KnownValues } from './dimensions.js';
import type { Candidates } from './find-candidates.js';
import type { Pair, Whereabouts } from './model.js';
import type { Side } from './side.js';

/** A reference about which something differs, so that it has to be decided by both bundles. */
export interface ReferencePlan {
  dataset: string;
  field: string | null;
  whereabouts: Pair<Whereabouts | null>;
  /** Whether both bundles decide it by the same things after all. */
  isSame: boolean;
  /** Equal for references that are decided alike in every cell, by policies at the same places of `targets`. */
  signature: string;
  targets: Pair<Target | null>;
  together: readonly (readonly string[])[];
  /** The policies that differ: where none of them holds nothing does. `null` where something else differs too. */
  pivotal: readonly Policy[] | null;
  known: KnownValues;
}

/** One bundle's part of a dataset. */
interface Half {
  side: Side;
  dataset: BundleDataset;
  candidates: Candidates;
  whereabouts: Whereabouts;
}
type Halves = Pair<Half | null>;

/**
 * The references of a dataset to decide, the dataset itself first. What has the same facts, and is matched by policies that
 * are in both bundles, is decided alike and left out.
 */
export function planReferences(sides: Pair<Side>, name: string): readonly ReferencePlan[] {
  const halves = { a: halfOf(sides.a, name), b: halfOf(sides.b, name) };
  const isMoved = movedOf(halves);
  const references = isMoved ? [null, ...fieldNames(halves)] : changedReferences(halves);
  return references.map((field) => planOf(halves, field, isMoved));
}

/** Every field of a dataset in either bundle, sorted. */
export function fieldNames({ a, b }: Pair<{ dataset: BundleDataset } | null>): readonly string[] {
  const fields = [...(a?.dataset.fields ?? []), ...(b?.dataset.fields ?? [])];
  return [...new Set(fields.map(({ name }) => name))].sort(compareText);
}

function halfOf(side: Side, name: string): Half | null {
  const dataset = side.datasets.get(name);
  if (dataset === undefined) return null;
  let found: Candidates | undefined;
  const candidates: Candidates = (field) => {
    found ??= side.candidates(dataset);
    return found(field);
  };
  return { side, dataset, candidates, whereabouts: side.whereaboutsOf(dataset) };
}

/** Whether something holds for the whole dataset in one bundle only. */
function movedOf({ a, b }: Halves): boolean {
  if (a === null || b === null) return true;
  const settings = ({ side, dataset, whereabouts }: Half) =>
    JSON.stringify([
      whereabouts,
      dataset.table.schema,
      side.bundle.bundle.default_action,
      side.clearances,
    ]);
  return settings(a) !== settings(b);
}

/** The references of a dataset that both bundles have which have other facts, or which a policy of one bundle only matches. */
function changedReferences({ a, b }: Halves): readonly (string | null)[] {
  if (a === null || b === null) return [];
  const facts = ({ side, dataset }: Half) =>
    new Map(dataset.fields.map((field) => [field.name, side.factsOf(field)]));
  const [before, after] = [facts(a), facts(b)];
  const changed = [a.side.changedCandidates(a.dataset), b.side.changedCandidates(b.dataset)];
  const isChanged = (field: string | null) =>
    changed.some((candidates) => candidates(field).length > 0);
  const names = fieldNames({ a, b });
  // A query on any field touches its dataset, whose policies bound it also where they except the field.
  if (isChanged(null)) return [null, ...names];
  const fields = names.filter((name) => before.get(name) !== after.get(name) || isChanged(name));
  return fields.length === 0 ? [] : [null, ...fields];
}

function planOf({ a, b }: Halves, field: string | null, isMoved: boolean): ReferencePlan {
  const has = (half: Half | null) =>
    half !== null && (field === null || half.dataset.fields.some(({ name }) => name === field))
      ? half
      : null;
  const halves = { a: has(a), b: has(b) };
  const indices = { a: bearingOn(halves.a, field), b: bearingOn(halves.b, field) };
  const policies = { a: policiesAt(halves.a, indices.a), b: policiesAt(halves.b, indices.b) };
  const together = field === null ? [] : togetherSets(halves, field, policies);
  const targets = {
    a: targetOf(halves.a, field, together, policies.a),
    b: targetOf(halves.b, field, together, policies.b),
  };
  const isWhole = isMoved || halves.a === null || halves.b === null;
  const signatures = {
    a: JSON.stringify(signatureOf(halves.a, field, indices.a, together)),
    b: JSON.stringify(signatureOf(halves.b, field, indices.b, together)),
  };
  const kind = field === null ? 'dataset' : 'field';
  return {
    dataset: (a ?? b)?.dataset.name ?? '',
    field,
    whereabouts: { a: a?.whereabouts ?? null, b: b?.whereabouts ?? null },
    isSame: signatures.a === signatures.b,
    signature: JSON.stringify([kind, isWhole, together, signatures.a, signatures.b]),
    targets,
    together,
    pivotal: isWhole ? null : differing(halves, indices),
    known: knownOf(halves),
  };
}

/** The policies that can bear on a reference: a count of a dataset goes by all of its fields, and a field by its dataset. */
function bearingOn(half: Half | null, field: string | null): readonly number[] {
  if (half === null) return [];
  const names = field === null ? half.dataset.fields.map(({ name }) => name) : [field];
  const found = new Set([null, ...names].flatMap((name) => half.candidates(name)));
  return [...found].sort((x, y) => x - y);
}

function policiesAt(half: Half | null, indices: readonly number[]): readonly Policy[] {
  return half === null ? [] : indices.map((index) => half.side.bundle.policies[index] as Policy);
}

/**
 * What of one bundle decides a reference: what its policies do, in their order, on which kinds of fields, and what they may
 * know. Policies are told by their place, so that equal ones of other datasets have equal signatures.
 */
function signatureOf(
  half: Half | null,
  field: string | null,
  indices: readonly number[],
  together: readonly (readonly string[])[],
): unknown {
  if (half === null) return null;
  const { side, whereabouts, candidates } = half;
  const placeOf = new Map(indices.map((index, place) => [index, place]));
  const places = (name: string | null) => candidates(name).map((index) => placeOf.get(index));
  const fields = field === null ? representatives(half) : [field];
  const present = lowerNames(half);
  return [
    side.bundle.bundle.default_action,
    side.clearances,
    whereabouts.environment,
    whereabouts.dataset_region,
    indices.map((index) => side.effects[index]),
    places(null),
    fields.map((name) => [places(name), mentioned(half, name)]),
    together.map((names) => names.filter((name) => present.has(name))),
  ];
}

function lowerNames({ dataset }: Half): ReadonlySet<string> {
  return new Set(dataset.fields.map(({ name }) => foldName(name)));
}

/** The name of a field, in lower case, where some policy mentions it. */
function mentioned({ side }: Half, field: string): string | null {
  const lower = foldName(field);
  return side.mentions(lower) ? lower : null;
}

/** One field for each way in which fields are matched. */
function representatives(half: Half): readonly string[] {
  const distinct = new Map<string, string>();
  for (const { name } of half.dataset.fields) {
    const key = JSON.stringify([half.candidates(name), mentioned(half, name)]);
    if (!distinct.has(key)) distinct.set(key, name);
  }
  return [...distinct].sort(([x], [y]) => compareText(x, y)).map(([, name]) => name);
}

/** The sets of names of `fields.all` that a query on this field can touch as a whole. */
function togetherSets(
  { a, b }: Halves,
  field: string,
  policies: Pair<readonly Policy[]>,
): readonly (readonly string[])[] {
  const sets = new Map<string, readonly string[]>();
  const add = (half: Half | null, list: readonly Policy[]) => {
    const present = half === null ? new Set<string>() : lowerNames(half);
    for (const { match } of list) {
      const names = [...new Set(match.fields?.all?.map((name) => foldName(name)))].sort();
      const isTouched = names.includes(foldName(field)) && names.every((one) => present.has(one));
      if (names.length > 1 && isTouched) sets.set(names.join('\0'), names);
    }
  };
  add(a, policies.a);
  add(b, policies.b);
  return [...sets].sort(([x], [y]) => compareText(x, y)).map(([, names]) => names);
}

function targetOf(
  half: Half | null,
  field: string | null,
  together: readonly (readonly string[])[],
  policies: readonly Policy[],
): Target | null {
  if (half === null) return null;
  const names = field === null ? new Set(representatives(half)) : new Set([field]);
  const beside = new Set(together.flat());
  const fields = half.dataset.fields.filter(
    ({ name }) => names.has(name) || beside.has(foldName(name)),
  );
  return { bundle: half.side.bundle, dataset: { ...half.dataset, fields }, policies };
}

/** The policies of either bundle that have no like among those of the other. */
function differing({ a, b }: Halves, indices: Pair<readonly number[]>): readonly Policy[] {
  const effects = (half: Half | null, list: readonly number[]) =>
    new Set(list.map((index) => half?.side.effects[index]));
  const [before, after] = [effects(a, indices.a), effects(b, indices.b)];
  const only = (half: Half | null, list: readonly number[], others: ReadonlySet<unknown>) =>
    policiesAt(
      half,
      list.filter((index) => !others.has(half?.side.effects[index])),
    );
  return [...only(a, indices.a, after), ...only(b, indices.b, before)];
}

function knownOf({ a, b }: Halves): KnownValues {
  const halves = [a, b].filter((half) => half !== null);
  const distinct = (values: readonly (string | null)[]) => [
    ...new Set(values.filter((value) => value !== null)),
  ];
  return {
    environments: distinct(halves.map(({ whereabouts }) => whereabouts.environment)),
    regions: distinct(halves.map(({ whereabouts }) => whereabouts.dataset_region)),
    clearances: distinct(halves.flatMap(({ side }) => side.clearances)),
  };
}
