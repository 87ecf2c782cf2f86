import type { Bundle, BundleDataset, BundleDatasource, BundleField } from '../bundle/model.js';
import { type Problem, VkitError } from '../errors/index.js';
import { lazily } from '../util/lazily.js';
import { type CandidateIndex, type CandidateList, createCandidateIndex } from './candidates.js';
import { DEFAULT_CLEARANCES } from './clearance.js';
import { datasetForms, type MatchTarget } from './compile-match.js';
import { type CompiledPolicy, compilePolicy } from './compiled-policy.js';
import type { Action, Policy } from './model.js';

export interface CompiledDataset extends MatchTarget {
  name: string;
  /** Of the datasource, as the bundle says; `null` is unknown. */
  environment: string | null;
  region: string | null;
  /** By their exact names. */
  fields: ReadonlyMap<string, BundleField>;
  /** The policies whose `match` can hold of the dataset itself, or of a field; `undefined` where there is no such field. */
  candidates(field: null): CandidateList;
  candidates(field: string | null): CandidateList | undefined;
  /** Fields that stand for all: masks aside, every other field is decided like one of these. */
  typicalFields(): readonly TypicalField[];
}

/** A field with its candidates. */
export interface TypicalField {
  name: string;
  list: CandidateList;
}

/** A bundle made ready for evaluation. It never changes what it answers; candidates are computed when first asked for. */
export interface PolicySet {
  checksum: string;
  defaultAction: Action;
  /** From lowest to highest. */
  clearances: readonly string[];
  /** By descending priority, then id, whatever their order in the bundle. */
  policies: readonly CompiledPolicy[];
  /** By registry key, exactly as it is written. */
  datasets: ReadonlyMap<string, CompiledDataset>;
}

/**
 * Compiles a bundle that was parsed and verified. Throws `bundle_invalid`, naming every one, where two policies, datasets,
 * datasources or fields share a name: nobody could tell which of them was reviewed.
 */
export function compilePolicySet(bundle: Bundle): PolicySet {
  refuseDuplicates(bundle);
  const clearances = bundle.bundle.clearances ?? DEFAULT_CLEARANCES;
  const policies = [...bundle.policies]
    .sort(byPriorityThenId)
    .map((policy, order) => compilePolicy(policy, order, clearances));
  const index = createCandidateIndex(policies);
  const sources = new Map(bundle.registry.datasources.map((source) => [source.name, source]));
  const datasets = bundle.registry.datasets.map(
    (dataset) =>
      [dataset.name, compileDataset(dataset, sources.get(dataset.datasource), index)] as const,
  );
  return {
    checksum: bundle.bundle.checksum,
    defaultAction: bundle.bundle.default_action,
    clearances,
    policies,
    datasets: new Map(datasets),
  };
}

/** The order of reporting: highest priority first, then lowest id. */
export function byPriorityThenId(a: Policy, b: Policy): number {
  return b.priority - a.priority || compareText(a.id, b.id);
}

/** By code unit: the same on every machine, whatever its locale. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function compileDataset(
  dataset: BundleDataset,
  source: BundleDatasource | undefined,
  index: CandidateIndex,
): CompiledDataset {
  const target: MatchTarget = {
    datasource: dataset.datasource,
    forms: datasetForms(dataset.name, dataset.datasource, dataset.table.schema),
  };
  const fields = lazily(() => new Map(dataset.fields.map((field) => [field.name, field])));
  const found = lazily(() => index(target));
  const ofDataset = lazily(() => found().ofDataset());
  const ofFields = new Map<string, CandidateList>();
  const ofField = (name: string): CandidateList | undefined => {
    const known = ofFields.get(name);
    if (known !== undefined) return known;
    const field = fields().get(name);
    // Only names of the registry are kept, so that no request can make the memo grow.
    if (field === undefined) return undefined;
    const list = found().ofField(field);
    ofFields.set(name, list);
    return list;
  };
  return {
    ...target,
    name: dataset.name,
    environment: source?.environment || null,
    region: source?.region || null,
    get fields() {
      return fields();
    },
    candidates: ((name) =>
      name === null ? ofDataset() : ofField(name)) as CompiledDataset['candidates'],
    typicalFields: lazily(() => typicalOf([...fields().keys()], ofField)),
  };
}

/** One field of each list, and every field that is not decided like others of its list. */
function typicalOf(
  names: readonly string[],
  ofField: (name: string) => CandidateList | undefined,
): readonly TypicalField[] {
  const seen = new Set<CandidateList>();
  return names.flatMap((name) => {
    const list = ofField(name);
    if (list === undefined || (seen.has(list) && !list.needsTouched)) return [];
    seen.add(list);
    return [{ name, list }];
  });
}

function refuseDuplicates(bundle: Bundle): void {
  const { datasets, datasources } = bundle.registry;
  const problems = [
    ...duplicatesIn(
      'policy',
      bundle.policies.map(({ id }) => id),
    ),
    ...duplicatesIn(
      'datasource',
      datasources.map(({ name }) => name),
    ),
    ...duplicatesIn(
      'dataset',
      datasets.map(({ name }) => name),
    ),
    ...datasets.flatMap((dataset) =>
      duplicatesIn(
        `field of ${dataset.name}`,
        dataset.fields.map(({ name }) => name),
      ),
    ),
  ];
  if (problems.length === 0) return;
  throw new VkitError('bundle_invalid', 'The bundle names a thing twice.', {
    hint: 'Compile it again with `vkit policy bundle`.',
    details: { problems },
  });
}

function duplicatesIn(what: string, names: readonly string[]): Problem[] {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const name of names) (seen.has(name) ? twice : seen).add(name);
  return [...twice].map((name) => ({
    code: 'duplicate',
    message: `The ${what} ${name} is there twice.`,
  }));
}
