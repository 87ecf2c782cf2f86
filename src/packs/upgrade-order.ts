import semver from 'semver';
import { accepts, parseDependency } from './dependency.js';
import { type InstalledPackState, PACK_LAYERS, type Pack, type PacksState } from './model.js';

/** Those of the packs that are installed in an older version. */
export function upgradable(packs: readonly Pack[], state: PacksState): Pack[] {
  return packs.filter(({ metadata: { name, version } }) => {
    const installed = Object.hasOwn(state, name) ? state[name] : undefined;
    return installed !== undefined && semver.lt(installed.version, version);
  });
}

/**
 * In which order new versions of installed packs are put in place: those that others depend on first, one by one. Where an
 * installed pack does not take the new version of one it depends on, both go together, with what lies between them in the order,
 * since neither can go first.
 */
export function upgradeGroups(packs: readonly Pack[], state: PacksState): Pack[][] {
  const ordered = inDependencyOrder(packs);
  const spans = ordered.flatMap((pack, index) =>
    ordered.flatMap((other, at) =>
      refuses(state[other.metadata.name], pack)
        ? [{ from: Math.min(index, at), to: Math.max(index, at) }]
        : [],
    ),
  );
  const groups: Pack[][] = [];
  for (const [index, pack] of ordered.entries()) {
    const isBound = spans.some(({ from, to }) => from < index && index <= to);
    if (isBound) groups.at(-1)?.push(pack);
    else groups.push([pack]);
  }
  return groups;
}

/** Whether an installed pack depends on this one and would not take this version of it. */
function refuses(installed: InstalledPackState | undefined, { metadata }: Pack): boolean {
  if (installed === undefined) return false;
  const { name, version, layer } = metadata;
  const wanted = installed.dependencies.map(parseDependency).filter((one) => one.name === name);
  const isAbove = PACK_LAYERS.indexOf(layer) > PACK_LAYERS.indexOf(installed.layer);
  return wanted.some(({ range }) => isAbove || !accepts(range, version));
}

function inDependencyOrder(packs: readonly Pack[]): Pack[] {
  const byName = new Map(packs.map((pack) => [pack.metadata.name, pack]));
  const ordered = new Set<Pack>();
  const visit = (pack: Pack | undefined, depth: number): void => {
    // Packs do not depend on each other in a circle; the bound is for some that say they do.
    if (pack === undefined || ordered.has(pack) || depth > packs.length) return;
    for (const one of pack.metadata.dependencies)
      visit(byName.get(parseDependency(one).name), depth + 1);
    ordered.add(pack);
  };
  for (const pack of packs) visit(pack, 0);
  return [...ordered];
}
