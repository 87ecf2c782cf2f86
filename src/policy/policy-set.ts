import type { Bundle } from '../bundle/model.js';
import { type Problem, VkitError } from '../errors/index.js';
import { createCandidateIndex } from './candidates.js';
import { DEFAULT_CLEARANCES } from './clearance.js';
import { type CompiledDataset, datasetCompiler } from './compiled-dataset.js';
import { type CompiledPolicy, compilePolicies } from './compiled-policy.js';
import type { Action, Policy } from './model.js';
import { createRoleSets, type RoleSet } from './role-sets.js';

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
  /** Whether a decision may be another at another moment, everything else being equal. */
  dependsOnTime: boolean;
  /** The same roles as one object, as far as the policies ask for them. */
  roleSetOf(roles: readonly string[]): RoleSet;
}

/**
 * Compiles a bundle that was parsed and verified. Throws `bundle_invalid`, naming every one, where two policies, datasets,
 * datasources or fields share a name: nobody could tell which of them was reviewed.
 */
export function compilePolicySet(bundle: Bundle): PolicySet {
  refuseDuplicates(bundle);
  const clearances = bundle.bundle.clearances ?? DEFAULT_CLEARANCES;
  const policies = compilePolicies([...bundle.policies].sort(byPriorityThenId), clearances);
  const compileDataset = datasetCompiler(createCandidateIndex(policies));
  const sources = new Map(bundle.registry.datasources.map((source) => [source.name, source]));
  const datasets = bundle.registry.datasets.map(
    (dataset) => [dataset.name, compileDataset(dataset, sources.get(dataset.datasource))] as const,
  );
  return {
    checksum: bundle.bundle.checksum,
    defaultAction: bundle.bundle.default_action,
    clearances,
    policies,
    datasets: new Map(datasets),
    dependsOnTime: policies.some(({ policy }) => 'time' in policy.when),
    roleSetOf: createRoleSets(policies),
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
