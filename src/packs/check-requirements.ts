import semver from 'semver';
import { VkitError } from '../errors/index.js';
import {
  type InstalledPackState,
  PACK_LAYERS,
  type PackMetadata,
  type PacksState,
} from './model.js';
import { invalidPack } from './pack-limits.js';
import { parseDependency } from './read-pack.js';

/** A policy of the project, wherever it comes from. */
export interface ProjectPolicy {
  path: string;
  id: string;
}

/** Refuses a pack whose dependencies are missing, of another version, or of a higher layer. */
export function checkDependencies(metadata: PackMetadata, state: PacksState): void {
  const wanted = metadata.dependencies.map(parseDependency);
  const missing = wanted.filter(({ name }) => !Object.hasOwn(state, name)).map(({ name }) => name);
  if (missing.length > 0) {
    throw new VkitError(
      'invalid_pack',
      `DependencyMissing: Pack requires dependencies not installed: ${missing.join(', ')}`,
      {
        hint: `Install ${missing.length === 1 ? 'it' : 'them'} first: \`vkit policy pack add ${missing[0]}\``,
        details: { missing },
      },
    );
  }
  for (const { name, range } of wanted) {
    const installed = state[name];
    if (installed === undefined) continue;
    if (!semver.satisfies(installed.version, range)) {
      throw new VkitError(
        'invalid_pack',
        `DependencyMissing: Pack requires ${name}@${range}, but v${installed.version} is installed`,
        {
          hint: `\`vkit policy pack upgrade ${name}\``,
        },
      );
    }
    if (PACK_LAYERS.indexOf(metadata.layer) < PACK_LAYERS.indexOf(installed.layer)) {
      throw invalidPack(
        `The pack is of the layer ${metadata.layer}, below its dependency ${name} (${installed.layer})`,
      );
    }
  }
}

/** Installed packs that depend on this one, with the range they ask for. */
export function dependentsOf(
  name: string,
  state: PacksState,
): { pack: InstalledPackState; range: string }[] {
  return Object.values(state).flatMap((pack) =>
    pack.dependencies
      .map(parseDependency)
      .filter((wanted) => wanted.name === name)
      .map(({ range }) => ({ pack, range })),
  );
}

/** Refuses policy ids that a file outside of `owned` uses already. */
export function checkPolicyIds(
  ids: readonly string[],
  existing: readonly ProjectPolicy[],
  owned: ReadonlySet<string>,
): void {
  const clashes = existing.filter(({ id, path }) => ids.includes(id) && !owned.has(path));
  const [first] = clashes;
  if (first === undefined) return;
  throw new VkitError(
    'conflict',
    `The policy id "${first.id}" is used already, by ${first.path}.`,
    {
      hint: 'Rename that policy, then try again.',
      details: {
        problems: clashes.map(({ id, path }) => ({
          file: path,
          code: 'duplicate',
          message: `The policy id "${id}" is also the pack's.`,
        })),
      },
    },
  );
}
