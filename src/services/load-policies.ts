import { createCatalog } from '../aql/catalog.js';
import { compileBundle } from '../bundle/compile-bundle.js';
import type { Bundle } from '../bundle/model.js';
import { VkitError } from '../errors/index.js';
import { compilePolicySet } from '../policy/policy-set.js';
import { toBundleDatasource } from '../project/parse-datasource-file.js';
import type { ActiveBundle } from './control/active-bundle.js';
import { type LoadProjectOptions, loadProject } from './load-project.js';
import { readBundleFile } from './read-bundle.js';
import { errorCodeOf, findingsOf } from './validate-project.js';

/** Where policies come from: a project's files as they are now, committed or not, or a bundle. */
export type PolicySource = ({ root: string } & LoadProjectOptions) | { bundle: string };

export interface LoadedPolicies {
  /** Compiled as a server has them; checksum and version mean nothing where they come from files. */
  active: ActiveBundle;
  from: 'files' | 'bundle';
  /** The roles that vkit.yaml knows; null: any. */
  roles: readonly string[] | null;
}

/**
 * Compiles the policies of a project or reads those of a bundle, whose checksum must match; who signed it is not asked.
 * Throws `invalid_policy`, `invalid_registry` or `config_invalid` with every error of the project, and what
 * `readBundleFile` throws.
 */
export async function loadPolicies(source: PolicySource): Promise<LoadedPolicies> {
  if ('bundle' in source) {
    const { bundle } = source;
    return { active: activeOf(await readBundleFile(bundle)), from: 'bundle', roles: null };
  }
  const loaded = await loadProject(source.root, source);
  const errors = (await findingsOf(loaded)).filter(({ severity }) => severity === 'error');
  if (errors.length > 0) {
    throw new VkitError(
      errorCodeOf(errors),
      `The project has ${errors.length === 1 ? 'one error' : `${errors.length} errors`}.`,
      { hint: 'See them all: `vkit policy validate`', details: { problems: errors } },
    );
  }
  const { settings, datasources } = loaded.project;
  const bundle = compileBundle({
    // Of a bundle that goes nowhere: no decision depends on any of it.
    org: settings.org ?? 'local',
    commit: { sha: '0'.repeat(40), time: '1970-01-01T00:00:00Z' },
    sequence: 0,
    expiresAt: null,
    repo: '',
    dirty: true,
    defaultAction: settings.default_action,
    ...(settings.clearances === null ? {} : { clearances: settings.clearances }),
    installedPacks: [],
    policies: loaded.policies.map(({ policy }) => policy),
    registry: loaded.registry,
    lock: loaded.lock,
    datasources: datasources.map(toBundleDatasource),
  });
  return { active: activeOf(bundle), from: 'files', roles: settings.roles };
}

function activeOf(bundle: Bundle): ActiveBundle {
  return {
    version: 0,
    checksum: bundle.bundle.checksum,
    epoch: 0,
    bundle,
    policies: compilePolicySet(bundle),
    catalog: createCatalog(bundle),
  };
}
