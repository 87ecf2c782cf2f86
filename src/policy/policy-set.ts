import type { Bundle, BundleDataset, BundleField } from '../bundle/model.js';
import { type Problem, VkitError } from '../errors/index.js';
import type { Mask } from '../masking/model.js';
import { DEFAULT_CLEARANCES } from './clearance.js';
import {
  type CompiledMatch,
  compileMatch,
  datasetForms,
  type MatchTarget,
} from './compile-match.js';
import { type CompiledConditions, compileConditions } from './conditions.js';
import type { Action, Policy } from './model.js';
import { maskOfSpec } from './strictest-mask.js';

export interface CompiledPolicy {
  policy: Policy;
  match: CompiledMatch;
  conditions: CompiledConditions;
  /** Whether `mask_except` takes the field out of what the policy matches. */
  excepts(field: string): boolean;
  /** The mask the policy puts on a field, for a policy that masks. */
  maskOf(field: string): Mask;
}

export interface CompiledDataset extends MatchTarget {
  name: string;
  /** Of the datasource, as the bundle says; `null` is unknown. */
  environment: string | null;
  region: string | null;
  /** By their exact names. */
  fields: ReadonlyMap<string, BundleField>;
  /** The policies whose `match` can hold of a field, or with `null` of the dataset itself, in the order of reporting. */
  candidates(field: string | null): readonly CompiledPolicy[];
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
  const policies = bundle.policies
    .map((policy) => compilePolicy(policy, clearances))
    .sort(byReportingOrder);
  const datasets = bundle.registry.datasets.map(
    (dataset) => [dataset.name, compileDataset(bundle, dataset, policies)] as const,
  );
  return {
    checksum: bundle.bundle.checksum,
    defaultAction: bundle.bundle.default_action,
    clearances,
    policies,
    datasets: new Map(datasets),
  };
}

/** Highest priority first, then lowest id. */
export function byReportingOrder(a: CompiledPolicy, b: CompiledPolicy): number {
  return b.policy.priority - a.policy.priority || compareText(a.policy.id, b.policy.id);
}

/** By code unit: the same on every machine, whatever its locale. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function compilePolicy(policy: Policy, clearances: readonly string[]): CompiledPolicy {
  const rules = new Map(
    Object.entries(policy.masking?.rules ?? {}).map(([field, spec]) => [field.toLowerCase(), spec]),
  );
  const except = new Set((policy.masking?.except ?? []).map((name) => name.toLowerCase()));
  return {
    policy,
    match: compileMatch(policy.match),
    conditions: compileConditions(policy.when, clearances),
    excepts: (field) => except.has(field.toLowerCase()),
    maskOf: (field) => maskOfSpec(rules.get(field.toLowerCase()) ?? policy.masking?.default_method),
  };
}

function compileDataset(
  bundle: Bundle,
  dataset: BundleDataset,
  policies: readonly CompiledPolicy[],
): CompiledDataset {
  const source = bundle.registry.datasources.find((entry) => entry.name === dataset.datasource);
  const target: MatchTarget = {
    datasource: dataset.datasource,
    forms: datasetForms(dataset.name, dataset.datasource, dataset.table.schema),
  };
  const fields = new Map(dataset.fields.map((field) => [field.name, field]));
  const memo = new Map<string | null, readonly CompiledPolicy[]>();
  const find = (name: string | null) => {
    const field = name === null ? null : fields.get(name);
    if (field === undefined) return [];
    return policies.filter(({ match, excepts }) => {
      if (match.datasetFailure(target) !== null) return false;
      if (field === null) return !match.hasFields;
      return match.fieldFailure(field) === null && !excepts(field.name);
    });
  };
  return {
    ...target,
    name: dataset.name,
    environment: source?.environment || null,
    region: source?.region || null,
    fields,
    candidates: (name) => {
      // Only names of the registry are kept, so that no request can make the memo grow.
      if (name !== null && !fields.has(name)) return [];
      const known = memo.get(name) ?? find(name);
      memo.set(name, known);
      return known;
    },
  };
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
