import { foldName, skeletonOf } from '../util/fold-name.js';
import { fieldsNamed, namesAt } from './check-names.js';
import { type DraftFile, type Finding, placeOf } from './finding.js';
import type { RegistryIndex } from './registry-index.js';
import type { Named } from './unknown-name.js';

/**
 * Names of a policy that look like others: one that is not in the composed form (NFC) of Unicode, and one that is not the
 * name of the registry for which people would take it (`ıd` and `id`). Both are warnings, since either may be meant.
 */
export function createSpellingCheck(index: RegistryIndex): (file: DraftFile) => Finding[] {
  const fields = skeletons(index.fieldNames);
  const datasets = skeletons(index.forms);
  const tags = skeletons([...index.tags, ...index.categories]);
  return (file) => {
    const { match } = file.policy;
    const check = (named: readonly Named[], known: Skeletons) =>
      named.flatMap((one) => findingsOn(file, one, known));
    return [
      ...check(namesAt(match.dataset, '/match/dataset'), datasets),
      ...check(fieldsNamed(file.policy), fields),
      ...check(namesAt(match.fields?.category, '/match/fields/category'), tags),
      ...check(namesAt(match.fields?.contains, '/match/fields/contains'), tags),
    ];
  };
}

/** Names of the registry by how they look; those that look like nothing but themselves are found by their own form. */
type Skeletons = ReadonlyMap<string, ReadonlySet<string>>;

function skeletons(names: Iterable<string>): Skeletons {
  const known = new Map<string, Set<string>>();
  for (const name of names) {
    const skeleton = skeletonOf(name);
    const alike = known.get(skeleton);
    if (alike === undefined) known.set(skeleton, new Set([foldName(name)]));
    else alike.add(foldName(name));
  }
  return known;
}

function findingsOn(file: DraftFile, { name, pointer }: Named, known: Skeletons): Finding[] {
  const found: Finding[] = [];
  const warn = (code: string, message: string, suggestion: string) =>
    found.push({
      severity: 'warning',
      file: file.file,
      ...placeOf(file.position, [pointer].flat()),
      code,
      message,
      suggestion,
    });
  if (name !== name.normalize('NFC')) {
    const message = `The name \`${name}\` is not in the composed form of Unicode (NFC).`;
    warn('name_not_nfc', message, 'Write its letters and their marks as single characters.');
  }
  const own = foldName(name);
  const alike = [...(known.get(skeletonOf(name)) ?? [])].filter((other) => other !== own);
  const [first] = alike;
  if (first !== undefined) {
    const message = `The name \`${name}\` looks like \`${first}\`, which is another one.`;
    warn('confusable_name', message, 'See that the policy names the one that is meant, or both.');
  }
  return found;
}
