import { VkitError } from '../errors/index.js';
import { accepts, dependentsOf, parseDependency } from './dependency.js';
import { PACK_LAYERS, type PackLayer, type PackMetadata, type PacksState } from './model.js';
import { invalidPack } from './pack-limits.js';

/**
 * Refuses a pack that does not fit the other installed packs: a dependency is missing, of another version or of a higher layer;
 * a pack that depends on it does not accept its version or its layer; packs depend on each other in a circle; priority bands
 * overlap. `others` is what is installed beside it, without an earlier version of the pack itself. Throws `invalid_pack` or
 * `conflict`.
 */
export function checkRequirements(metadata: PackMetadata, others: PacksState): void {
  checkDependencies(metadata, others);
  checkDependents(metadata, others);
  refuseCircle(metadata, others);
  refuseOverlap(metadata, others);
}

function checkDependencies(metadata: PackMetadata, others: PacksState): void {
  const wanted = metadata.dependencies.map(parseDependency);
  const missing = [
    ...new Set(wanted.map(({ name }) => name).filter((name) => !Object.hasOwn(others, name))),
  ];
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
    const installed = others[name];
    if (installed === undefined) continue;
    if (!accepts(range, installed.version)) {
      throw new VkitError(
        'invalid_pack',
        `DependencyMissing: Pack requires ${name}@${range}, but v${installed.version} is installed`,
        { hint: `\`vkit policy pack upgrade ${name}\`` },
      );
    }
    if (isAbove(installed.layer, metadata.layer)) {
      throw invalidPack(
        `The pack is of the layer ${metadata.layer}, below its dependency ${name} (${installed.layer})`,
      );
    }
  }
}

function checkDependents({ name, version, layer }: PackMetadata, others: PacksState): void {
  for (const { pack, range } of dependentsOf(name, others)) {
    if (!accepts(range, version)) {
      throw new VkitError(
        'conflict',
        `${pack.name} needs ${name}@${range} and does not accept v${version}.`,
        {
          hint: `\`vkit policy pack upgrade\` without a name upgrades shipped packs together; else remove ${pack.name} first.`,
        },
      );
    }
    if (isAbove(layer, pack.layer)) {
      throw invalidPack(
        `The pack is of the layer ${layer}, above ${pack.name} (${pack.layer}), which depends on it`,
      );
    }
  }
}

function refuseCircle(metadata: PackMetadata, others: PacksState): void {
  const reached = new Set<string>();
  // Each pack is looked at once, so this ends with the last one that is installed.
  const waiting = metadata.dependencies.map((one) => parseDependency(one).name);
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (reached.has(name)) continue;
    reached.add(name);
    const next = (others[name]?.dependencies ?? []).map((one) => parseDependency(one).name);
    if (next.includes(metadata.name)) {
      throw invalidPack(`The packs ${metadata.name} and ${name} depend on each other`);
    }
    waiting.push(...next);
  }
}

/** Of two packs in one band nobody could say which of their policies is named first, and `validate` could not check either. */
function refuseOverlap({ name, priority_band: band }: PackMetadata, others: PacksState): void {
  if (band === undefined) return;
  const other = Object.values(others).find(
    ({ priority_band: their }) =>
      their !== undefined && their.min <= band.max && band.min <= their.max,
  );
  const their = other?.priority_band;
  if (other === undefined || their === undefined) return;
  throw invalidPack(
    `Priority band overlaps that of ${other.name} (${their.min} to ${their.max})`,
    `Give ${name} a band of its own in its metadata.yaml, and its policies priorities in it.`,
  );
}

function isAbove(layer: PackLayer, other: PackLayer): boolean {
  return PACK_LAYERS.indexOf(layer) > PACK_LAYERS.indexOf(other);
}
