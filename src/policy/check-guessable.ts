import type { RegistryField } from '../schema/model.js';
import { escapePointer } from './check-form.js';
import { compileMatch } from './compile-match.js';
import {
  type Finding,
  formsOfKey,
  type PolicyFile,
  placeOf,
  type ValidationContext,
} from './finding.js';
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
  { registry }: ValidationContext,
): Finding[] {
  if (policy.action !== 'mask') return [];
  const match = compileMatch(policy.match);
  const except = new Set((policy.masking?.except ?? []).map((name) => name.toLowerCase()));
  const rules = Object.entries(policy.masking?.rules ?? {});
  const fieldsAt = new Map<string, string[]>();
  for (const [key, dataset] of registry) {
    const target = { datasource: dataset.datasource, forms: formsOfKey(key, dataset) };
    if (match.datasetFailure(target) !== null) continue;
    for (const [name, field] of dataset.fields) {
      const hidden = except.has(name.toLowerCase()) || match.fieldFailure({ ...field, name });
      if (hidden || !isGuessable(field)) continue;
      const rule = rules.find(([ruled]) => ruled.toLowerCase() === name.toLowerCase());
      const spec = rule?.[1] ?? policy.masking?.default_method;
      if (maskOfSpec(spec).method !== 'hash') continue;
      const pointer = rule ? `/masking/rules/${escapePointer(rule[0])}` : METHOD;
      fieldsAt.set(pointer, [...(fieldsAt.get(pointer) ?? []), `${key}.${name}`]);
    }
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
