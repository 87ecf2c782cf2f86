import { DEFAULT_CLEARANCES } from '../../policy/clearance.js';
import type { Policy } from '../../policy/model.js';
import { foldName } from '../../util/fold-name.js';
import { canonicalise } from '../canonicalise.js';
import type { Bundle, BundleDataset, BundleDatasource, BundleField } from '../model.js';
import { type Candidates, candidateFinder } from './find-candidates.js';
import type { Pair, Whereabouts } from './model.js';

/** One of the two bundles, made ready to be compared with the other. */
export interface Side {
  bundle: Bundle;
  datasets: ReadonlyMap<string, BundleDataset>;
  clearances: readonly string[];
  /** Of each policy, by its index, a number that is the same for policies of either bundle that decide alike once they match. */
  effects: readonly number[];
  /** Which policies can match. */
  candidates(dataset: BundleDataset): Candidates;
  /** As `candidates`, of those only that no policy of the other bundle is like. */
  changedCandidates(dataset: BundleDataset): Candidates;
  /** Equal for fields that no policy of either bundle tells apart. */
  factsOf(field: BundleField): string;
  /** Whether some policy of either bundle mentions a field of this name, in lower case. */
  mentions(name: string): boolean;
  whereaboutsOf(dataset: BundleDataset): Whereabouts;
}

export function sidesOf(a: Bundle, b: Bundle): Pair<Side> {
  const names = namesOfFields([...a.policies, ...b.policies]);
  const [contents, effects] = [numbering(contentOf), numbering(effectOf)];
  const numbered = (bundle: Bundle) => ({
    contents: bundle.policies.map(contents),
    effects: bundle.policies.map(effects),
  });
  const [ofA, ofB] = [numbered(a), numbered(b)];
  return {
    a: sideOf(a, names, ofA, new Set(ofB.contents)),
    b: sideOf(b, names, ofB, new Set(ofA.contents)),
  };
}

/** The same number for policies of the same text. */
function numbering(textOf: (policy: Policy) => string): (policy: Policy) => number {
  const numbers = new Map<string, number>();
  return (policy) => {
    const text = textOf(policy);
    const number = numbers.get(text) ?? numbers.size;
    numbers.set(text, number);
    return number;
  };
}

function sideOf(
  bundle: Bundle,
  names: ReadonlySet<string>,
  { contents, effects }: { contents: readonly number[]; effects: readonly number[] },
  others: ReadonlySet<number>,
): Side {
  const { datasets, datasources } = bundle.registry;
  const sources = new Map(datasources.map((source) => [source.name, source]));
  const all = [...bundle.policies.keys()];
  const factsOf = (field: BundleField) => factsOfField(field, names);
  return {
    bundle,
    datasets: new Map(datasets.map((dataset) => [dataset.name, dataset])),
    clearances: bundle.bundle.clearances ?? DEFAULT_CLEARANCES,
    effects,
    candidates: onFirstUse(() => candidateFinder(bundle, all, factsOf)),
    changedCandidates: candidateFinder(
      bundle,
      all.filter((index) => !others.has(contents[index] as number)),
      factsOf,
    ),
    factsOf,
    mentions: (name) => names.has(name),
    whereaboutsOf: (dataset) => whereabouts(dataset, sources.get(dataset.datasource)),
  };
}

/** Where nothing changed that matters, nobody asks for all policies, and they need no preparing. */
function onFirstUse<In, Out>(make: () => (input: In) => Out): (input: In) => Out {
  let made: ((input: In) => Out) | undefined;
  return (input) => {
    made ??= make();
    return made(input);
  };
}

/** What of a policy can make a difference to a decision: its name, its words and its rank among equals do not. */
function contentOf(policy: Policy): string {
  const { id: _id, description: _words, reason: _reason, priority: _priority, ...rest } = policy;
  return canonicalise(rest);
}

/** What a policy does to what it matches. Of `match` that is `fields.all`, and whether it acts on whole datasets. */
function effectOf({ match, when, action, masking, approval, ...policy }: Policy): string {
  const { ttl_seconds = null, max_rows = null, auto_revoke = false } = policy;
  const acts = match.fields === undefined ? null : (match.fields.all ?? []);
  const bounds = [ttl_seconds, max_rows, auto_revoke];
  return canonicalise([acts, when, action, masking ?? null, approval ?? null, bounds]);
}

/** The names of fields, in lower case, that some policy mentions. */
function namesOfFields(policies: readonly Policy[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { match, masking } of policies) {
    const { any = [], all = [] } = match.fields ?? {};
    const masks = [...Object.keys(masking?.rules ?? {}), ...(masking?.except ?? [])];
    for (const name of [...any, ...all, ...masks]) names.add(foldName(name));
  }
  return names;
}

function factsOfField(field: BundleField, names: ReadonlySet<string>): string {
  const name = foldName(field.name);
  const { sensitivity, category = null, tags = [] } = field;
  return JSON.stringify([sensitivity, category, [...tags].sort(), names.has(name) ? name : null]);
}

function whereabouts(dataset: BundleDataset, source: BundleDatasource | undefined): Whereabouts {
  return {
    datasource: dataset.datasource,
    environment: source?.environment || null,
    dataset_region: source?.region || null,
  };
}
