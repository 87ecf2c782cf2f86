import { compareRegistries, type RegistryDifference } from '../bundle/compare-registries.js';
import { compileDatasets } from '../bundle/compile-bundle.js';
import type { Bundle } from '../bundle/model.js';
import type { Engine } from '../engines/contract.js';
import { findProject } from '../project/find-project.js';
import { readProject } from '../project/read-project.js';
import { engineSchemasOf } from './open-datasource.js';
import { readBaseline } from './scan-datasource.js';

export interface DiffRegistryInput {
  /** Anywhere in the project. */
  cwd: string;
  engines: Readonly<Record<string, Engine>>;
  registryDir?: string;
  /** What the server enforces. */
  bundle: Pick<Bundle, 'registry'>;
}

/**
 * What the project's registry has otherwise than a bundle: what the next deployment would change. Compared as it would be
 * compiled, so that what is gone, or no scan has seen, counts as missing. Throws `invalid_registry` with every problem.
 */
export async function diffRegistry(input: DiffRegistryInput): Promise<RegistryDifference[]> {
  const { root } = await findProject(input.cwd);
  const options = input.registryDir === undefined ? {} : { registryDir: input.registryDir };
  const engineSchemas = engineSchemasOf(input.engines);
  const project = await readProject(root, { engineSchemas, ...options });
  const { registry, lock } = readBaseline(project, options);
  const local = compileDatasets(registry, project.lock === null ? null : lock);
  return compareRegistries(input.bundle.registry.datasets, local);
}
