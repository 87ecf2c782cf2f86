import { evaluate } from '../../policy/evaluate.js';
import type { FieldMatch, Policy, Reference } from '../../policy/model.js';
import { compilePolicySet, type PolicySet } from '../../policy/policy-set.js';
import { foldName } from '../../util/fold-name.js';
import type { Bundle, BundleDataset, BundleField } from '../model.js';

/**
 * The indices of the policies whose `match` can hold of a field, or with `null` of the dataset itself, ascending. A policy
 * with `fields.all` can hold of each of its names.
 */
export type Candidates = (field: string | null) => readonly number[];

/** Equal for fields that no policy tells apart. */
export type FactsOf = (field: BundleField) => string;

/**
 * Finds the candidates among some policies of a bundle. Matching itself is the evaluator's: policies without conditions
 * are decided, and those that hold are the ones that match. So that this takes no time in the number of policies times
 * datasets, policies that name no dataset are asked once for each kind of field, and those that name some only there.
 */
export function candidateFinder(
  bundle: Bundle,
  chosen: readonly number[],
  factsOf: FactsOf,
): (dataset: BundleDataset) => Candidates {
  const probes = new Map(
    chosen.map((index) => {
      const policy = bundle.policies[index] as Policy;
      return [index, { ...policy, when: {}, match: eachByItself(policy.match) }] as const;
    }),
  );
  const indices = new Map([...probes].map(([index, { id }]) => [id, index]));
  const numbers = ({ policyIds }: { policyIds: readonly string[] }) =>
    policyIds.map((id) => indices.get(id) as number);
  const everywhere = chosen.filter((index) => probes.get(index)?.match.dataset === undefined);
  const shared = sharedCandidates(bundle, policiesOf(everywhere), factsOf);
  const byName = indexByName(probes);

  function policiesOf(list: readonly number[]): Policy[] {
    return list.map((index) => probes.get(index) as Policy);
  }

  return (dataset) => {
    const sharedHere = shared(dataset.datasource);
    const named = byName(dataset.name);
    const own = named.length === 0 ? null : ownCandidates(bundle, dataset, policiesOf(named));
    const memo = new Map<string, readonly number[]>();
    const fields = new Map(dataset.fields.map((field) => [field.name, field]));
    return (name) => {
      const field = name === null ? null : fields.get(name);
      if (field === undefined) return [];
      const facts = field === null ? '' : factsOf(field);
      const known = memo.get(facts);
      if (known !== undefined) return known;
      const ids = [...sharedHere(field), ...(own?.(name) ?? [])];
      const found = numbers({ policyIds: ids }).sort((a, b) => a - b);
      memo.set(facts, found);
      return found;
    };
  };
}

/** Matching by the names of `fields.all` one at a time: which of them a query touches together comes later. */
function eachByItself(match: Policy['match']): Policy['match'] {
  if (match.fields?.all === undefined) return match;
  const { all, any, ...rest } = match.fields;
  const lower = any?.map((name) => foldName(name));
  const names = all.filter((name) => lower === undefined || lower.includes(foldName(name)));
  const fields: FieldMatch = { ...rest, any: names };
  return { ...match, fields };
}

/** Of the policies that name no dataset, by datasource and by kind of field. */
function sharedCandidates(
  bundle: Bundle,
  policies: readonly Policy[],
  factsOf: FactsOf,
): (datasource: string) => (field: BundleField | null) => readonly string[] {
  if (policies.length === 0) return () => () => [];
  const samples = new Map<string, BundleDataset>();
  const keyOf = (datasource: string, field: BundleField | null) =>
    JSON.stringify([datasource, field === null ? null : factsOf(field)]);
  for (const { datasource, fields } of bundle.registry.datasets) {
    for (const field of [null, ...fields]) {
      const key = keyOf(datasource, field);
      if (samples.has(key)) continue;
      const name = String(samples.size);
      const table = { schema: '', name };
      samples.set(key, { name, datasource, table, fields: field === null ? [] : [field] });
    }
  }
  const set = compileProbe(bundle, [...samples.values()], policies);
  const memo = new Map<string, readonly string[]>();
  return (datasource) => (field) => {
    const key = keyOf(datasource, field);
    const sample = samples.get(key);
    const known = memo.get(key);
    if (sample === undefined || known !== undefined) return known ?? [];
    const found = idsOf(set, { dataset: sample.name, field: field?.name ?? null });
    // The sample's field has the name of the first of its kind, which no policy tells from this one.
    const ids = field === null ? found : idsOf(set, firstField(sample));
    memo.set(key, ids);
    return ids;
  };
}

function firstField({ name, fields }: BundleDataset): Reference {
  return { dataset: name, field: fields[0]?.name ?? null };
}

/** Of the policies that name this dataset or a pattern. */
function ownCandidates(
  bundle: Bundle,
  dataset: BundleDataset,
  policies: readonly Policy[],
): (field: string | null) => readonly string[] {
  const set = compileProbe(bundle, [dataset], policies);
  // With a field touched, the dataset's own policies are told apart from those of its fields.
  const touched = dataset.fields[0];
  return (field) => {
    const reference = { dataset: dataset.name, field };
    const beside = touched === undefined ? [] : [{ dataset: dataset.name, field: touched.name }];
    return idsOf(set, reference, field === null ? beside : []);
  };
}

function compileProbe(
  bundle: Bundle,
  datasets: readonly BundleDataset[],
  policies: readonly Policy[],
): PolicySet {
  return compilePolicySet({ ...bundle, registry: { datasets, datasources: [] }, policies });
}

const NOBODY = { roles: [], clearance: null, region: null, purposes: [] };

function idsOf(
  set: PolicySet,
  reference: Reference,
  beside: readonly Reference[] = [],
): readonly string[] {
  const { references } = evaluate(set, {
    requester: NOBODY,
    references: [reference, ...beside],
    at: 0,
  });
  return references.find(({ field }) => field === reference.field)?.policyIds ?? [];
}

const PATTERN = /[*?]/;

/**
 * The policies that could name a dataset: those with a pattern, and those with a name that ends as the dataset's does,
 * which all its names do.
 */
function indexByName(probes: ReadonlyMap<number, Policy>): (dataset: string) => readonly number[] {
  const patterns: number[] = [];
  const byLast = new Map<string, number[]>();
  for (const [index, { match }] of probes) {
    if (match.dataset === undefined) continue;
    const names = typeof match.dataset === 'string' ? [match.dataset] : match.dataset;
    if (names.some((name) => PATTERN.test(name))) {
      patterns.push(index);
      continue;
    }
    for (const last of new Set(names.map(lastPart))) {
      const list = byLast.get(last) ?? [];
      byLast.set(last, list);
      list.push(index);
    }
  }
  return (dataset) => [...patterns, ...(byLast.get(lastPart(dataset)) ?? [])];
}

function lastPart(name: string): string {
  return foldName(name.slice(name.lastIndexOf('.') + 1));
}
