import type { RegistryField } from '../schema/model.js';
import { foldName } from '../util/fold-name.js';
import { escapePointer } from './check-form.js';
import type { CompiledPolicy } from './compiled-policy.js';
import { type Finding, type PolicyFile, placeOf } from './finding.js';
import type { RegistryIndex } from './registry-index.js';
import { maskOfSpec } from './strictest-mask.js';

/** Classifications whose values can be listed and hashed one by one. */
const ENUMERABLE: ReadonlySet<string> = new Set([
  'national_id',
  'phone',
  'date_of_birth',
  'payment_card',
]);

const METHOD = '/masking/default_method';

/** How many fields a message names. */
const FIELDS_NAMED_MAX = 3;

/** Warns where a policy hashes what can be guessed: high sensitivity, or values that can be enumerated. */
export function checkMasksOfPolicy(
  { policy, file, position }: PolicyFile,
  compiled: CompiledPolicy,
  index: RegistryIndex,
): Finding[] {
  const rules = Object.entries(policy.masking?.rules ?? {});
  const specs = [policy.masking?.default_method, ...rules.map(([, spec]) => spec)];
  const hashes = specs.some((spec) => maskOfSpec(spec).method === 'hash');
  if (policy.action !== 'mask' || !hashes) return [];
  const fieldsAt = new Map<string, string[]>();
  for (const { dataset, field } of index.fieldsOf(compiled)) {
    if (!isGuessable(field) || compiled.maskOf(field.name).method !== 'hash') continue;
    const rule = rules.find(([ruled]) => foldName(ruled) === foldName(field.name));
    const pointer = rule ? `/masking/rules/${escapePointer(rule[0])}` : METHOD;
    fieldsAt.set(pointer, [...(fieldsAt.get(pointer) ?? []), `${dataset.key}.${field.name}`]);
  }
  return [...fieldsAt].map(([pointer, fields]) => ({
    severity: 'warning',
    file,
    ...placeOf(position, pointer === METHOD ? [METHOD, '/action/mask_type'] : [pointer]),
    code: 'hash_guessable',
    message: `A hash of ${listed(fields)} can be checked by whoever guesses the value.`,
    suggestion: 'Use tokenize or full.',
  }));
}

function isGuessable({ sensitivity, classification }: RegistryField): boolean {
  return sensitivity === 'high' || ENUMERABLE.has(classification ?? '');
}

function listed(names: readonly string[]): string {
  const rest = names.length - FIELDS_NAMED_MAX;
  const shown = names.slice(0, FIELDS_NAMED_MAX).join(', ');
  return rest > 0 ? `${shown} and ${rest} more` : shown;
}
