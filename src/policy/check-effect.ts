import { foldName } from '../util/fold-name.js';
import { type CandidateIndex, createCandidateIndex } from './candidates.js';
import { DEFAULT_CLEARANCES } from './clearance.js';
import type { CompiledPolicy } from './compiled-policy.js';
import { type Finding, type PolicyFile, placeOf } from './finding.js';
import { contradictionIn, implies } from './reason-conditions.js';
import type { IndexedField, RegistryIndex } from './registry-index.js';

/** Fields of one policy that are looked at; one that matches more is not told whether it is always overruled. */
const FIELDS_MAX = 2_000;

/** Says of a policy whether it can have an effect at all. */
export type EffectCheck = (file: PolicyFile, compiled: CompiledPolicy) => Finding[];

/**
 * Finds policies that can never match, by their conditions or by what is in the baseline, and policies that a
 * denial overrules wherever they match. Both are warnings: the policy does no harm, but its author believes in it.
 */
export function createEffectCheck(
  policies: readonly CompiledPolicy[],
  index: RegistryIndex,
  clearances: readonly string[] = DEFAULT_CLEARANCES,
): EffectCheck {
  const candidates = createCandidateIndex(policies);
  return (file, compiled) => {
    const never = neverMatches(file, compiled, index, clearances);
    if (never !== null) return [never];
    const overruling = overruledBy(compiled, index, candidates, clearances);
    return overruling === undefined ? [] : [alwaysOverruled(file, overruling)];
  };
}

function neverMatches(
  { policy, file, position }: PolicyFile,
  compiled: CompiledPolicy,
  index: RegistryIndex,
  clearances: readonly string[],
): Finding | null {
  const warning = (pointers: readonly string[], message: string, suggestion: string): Finding => ({
    severity: 'warning',
    file,
    ...placeOf(position, pointers),
    code: 'never_matches',
    message,
    suggestion,
  });
  const attribute = contradictionIn(policy.when, clearances);
  if (attribute !== undefined) {
    const places = ['/context', '/when', '/match/context'].map((place) => `${place}/${attribute}`);
    const message = `The policy ${policy.id} can never match: no ${attribute} fulfils its condition.`;
    return warning(places, message, 'Take the values apart, or remove the policy.');
  }
  const { any, all } = policy.match.fields ?? {};
  const wanted = new Set(any?.map((name) => foldName(name)));
  if (any && all && !all.some((name) => wanted.has(foldName(name)))) {
    const message = `The policy ${policy.id} can never match: no name is in both \`any\` and \`all\`.`;
    return warning(['/match/fields'], message, 'Make two policies of it.');
  }
  if (!compiled.match.hasFields || index.datasetsOf(policy.match).length === 0) return null;
  for (const _field of index.fieldsOf(compiled)) return null;
  const message = `The policy ${policy.id} never matches: no field of the registry is what its \`match\` asks for.`;
  return warning(['/match/fields', '/match'], message, 'Compare it with config/registry.yaml.');
}

/** A policy that denies every reference this one matches, under conditions that hold whenever its own do. */
function overruledBy(
  compiled: CompiledPolicy,
  index: RegistryIndex,
  candidates: CandidateIndex,
  clearances: readonly string[],
): CompiledPolicy | undefined {
  if (compiled.action === 'deny') return undefined;
  const references = referencesOf(compiled, index);
  const [first] = references ?? [];
  if (references === null || first === undefined) return undefined;
  let left = policiesOn(first, candidates).filter((other) =>
    overrules(other, compiled, clearances),
  );
  for (const reference of references.slice(1)) {
    if (left.length === 0) return undefined;
    const here = new Set(policiesOn(reference, candidates));
    left = left.filter((other) => here.has(other));
  }
  return left[0];
}

type Place = Pick<IndexedField, 'dataset'> & { field: IndexedField['field'] | null };

/** All that a policy acts on, the datasets themselves first; `null` where that is more than is looked at. */
function referencesOf(compiled: CompiledPolicy, index: RegistryIndex): Place[] | null {
  const places: Place[] = [];
  if (!compiled.match.hasFields) {
    const datasets = index.datasetsOf(compiled.policy.match);
    if (datasets.length > FIELDS_MAX) return null;
    for (const dataset of datasets) places.push({ dataset, field: null });
  }
  for (const { dataset, field } of index.fieldsOf(compiled)) {
    places.push({ dataset, field });
    if (places.length > FIELDS_MAX) return null;
  }
  return places;
}

function policiesOn({ dataset, field }: Place, candidates: CandidateIndex) {
  const found = candidates(dataset);
  return (field === null ? found.ofDataset() : found.ofField(field)).policies;
}

function overrules(
  other: CompiledPolicy,
  compiled: CompiledPolicy,
  clearances: readonly string[],
): boolean {
  // Beside anything but a denial every policy still counts: its mask, its approval, or the ttl that an allow brings.
  if (other.action !== 'deny' || other.match.all !== null) return false;
  return implies(compiled.policy.when, other.policy.when, clearances);
}

function alwaysOverruled(
  { policy, file, position }: PolicyFile,
  { policy: other }: CompiledPolicy,
): Finding {
  return {
    severity: 'warning',
    file,
    ...position('/id'),
    code: 'always_overruled',
    message: `The policy ${policy.id} has no effect: wherever it matches, ${other.id} denies.`,
    suggestion: `Narrow ${other.id}, or remove this policy.`,
  };
}
