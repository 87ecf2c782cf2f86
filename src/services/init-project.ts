import { resolve } from 'node:path';
import { VkitError } from '../errors/index.js';
import { openRepository } from '../git/open-repository.js';
import { loadPackFiles } from '../packs/load-pack-files.js';
import { parseDependency, readPack } from '../packs/read-pack.js';
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
  const ordered = await inDependencyOrder(input.packs ?? [], input.cwd);
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

async function inDependencyOrder(references: readonly string[], cwd: string): Promise<string[]> {
  const rest = new Map<string, { reference: string; needs: string[] }>();
  for (const reference of references) {
    const { metadata } = readPack(await loadPackFiles(reference, cwd));
    rest.set(metadata.name, {
      reference,
      needs: metadata.dependencies.map((one) => parseDependency(one).name),
    });
  }
  const named = [...rest.keys()];
  const missing = [...new Set([...rest.values()].flatMap(({ needs }) => needs))].filter(
    (name) => !rest.has(name),
  );
  if (missing.length > 0) {
    throw new VkitError(
      'invalid_pack',
      `DependencyMissing: Pack requires dependencies not installed: ${missing.join(', ')}`,
      {
        hint: `Name ${missing.length === 1 ? 'it' : 'them'} too: --with ${[...missing, ...named].join(',')}`,
      },
    );
  }
  const ordered: string[] = [];
  while (rest.size > 0) {
    const ready = [...rest].find(([, { needs }]) => needs.every((name) => !rest.has(name)));
    if (ready === undefined)
      throw new VkitError(
        'invalid_pack',
        `InvalidPack: ${[...rest.keys()].join(' and ')} depend on each other`,
      );
    ordered.push(ready[1].reference);
    rest.delete(ready[0]);
  }
  return ordered;
}
