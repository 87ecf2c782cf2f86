import { resolve } from 'node:path';
import { VkitError } from '../errors/index.js';
import { openRepository } from '../git/open-repository.js';
import { checkPolicyIds, type ProjectPolicy } from '../packs/check-policy-ids.js';
import { checkRequirements } from '../packs/check-requirements.js';
import { parseDependency } from '../packs/dependency.js';
import { stateOf } from '../packs/install-pack.js';
import { loadPackFiles } from '../packs/load-pack-files.js';
import type { Pack, PacksState } from '../packs/model.js';
import { readPacksState } from '../packs/packs-state.js';
import { readPack } from '../packs/read-pack.js';
import { scaffoldProject } from '../project/scaffold-project.js';
import { addPack } from './add-pack.js';

export interface InitProjectInput {
  directory: string;
  org?: string;
  force?: boolean;
  /** Packs to install, by name or path; in an order in which each finds its dependencies. */
  packs?: readonly string[];
  /** What a relative path of a pack is relative to. */
  cwd: string;
  now: Date;
}

export interface InitProjectResult {
  root: string;
  /** Files that were written, relative to the root; those of packs aside. */
  written: readonly string[];
  packs: readonly { name: string; version: string; policies: number }[];
  /** Whether the project is in a Git work tree; bundles are compiled from commits. */
  inRepository: boolean;
}

/** Scaffolds a project and installs packs. Nothing is written where one of the packs is unknown, invalid or lacks another. */
export async function initProject(input: InitProjectInput): Promise<InitProjectResult> {
  const root = resolve(input.cwd, input.directory);
  const ordered = await inDependencyOrder(root, input);
  const { written } = await scaffoldProject({
    directory: root,
    ...(input.org === undefined ? {} : { org: input.org }),
    force: input.force === true,
  });
  const packs: { name: string; version: string; policies: number }[] = [];
  for (const reference of ordered) {
    const { installed } = await addPack({ root, reference, cwd: input.cwd, now: input.now });
    packs.push({
      name: installed.name,
      version: installed.version,
      policies: installed.files.length,
    });
  }
  return { root, written, packs, inRepository: (await openRepository(root)) !== null };
}

/** The packs in an order in which each finds its dependencies, after all that installing them would refuse without a project. */
async function inDependencyOrder(
  root: string,
  { packs: references = [], cwd, now }: InitProjectInput,
): Promise<string[]> {
  let state = await readPacksState(root);
  const rest = new Map<string, { reference: string; pack: Pack }>();
  for (const reference of references) {
    const pack = readPack(await loadPackFiles(reference, cwd));
    rest.set(pack.metadata.name, { reference, pack });
  }
  refuseMissing(rest, state);
  const ordered: string[] = [];
  const policies: ProjectPolicy[] = [];
  while (rest.size > 0) {
    const ready = [...rest].find(([, { pack }]) =>
      namesNeededBy(pack).every((name) => !rest.has(name)),
    );
    if (ready === undefined)
      throw new VkitError(
        'invalid_pack',
        `InvalidPack: ${[...rest.keys()].join(' and ')} depend on each other`,
      );
    const [name, { reference, pack }] = ready;
    const { [name]: _installed, ...others } = state;
    checkRequirements(pack.metadata, others);
    const ids = pack.policies.map(({ policy }) => policy.id);
    checkPolicyIds(ids, policies, new Set());
    policies.push(...pack.policies.map(({ target, policy: { id } }) => ({ path: target, id })));
    state = { ...state, [name]: stateOf(pack, now) };
    ordered.push(reference);
    rest.delete(name);
  }
  return ordered;
}

function refuseMissing(named: ReadonlyMap<string, { pack: Pack }>, state: PacksState): void {
  const needed = [...named.values()].flatMap(({ pack }) => namesNeededBy(pack));
  const missing = [...new Set(needed)].filter(
    (name) => !named.has(name) && !Object.hasOwn(state, name),
  );
  if (missing.length === 0) return;
  throw new VkitError(
    'invalid_pack',
    `DependencyMissing: Pack requires dependencies not installed: ${missing.join(', ')}`,
    {
      hint: `Name ${missing.length === 1 ? 'it' : 'them'} too: --with ${[...missing, ...named.keys()].join(',')}`,
    },
  );
}

function namesNeededBy({ metadata: { dependencies } }: Pack): string[] {
  return dependencies.map((one) => parseDependency(one).name);
}
