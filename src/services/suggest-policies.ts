import { parsePolicyFile } from '../policy/parse-policy.js';
import { PROJECT_PATHS } from '../project/paths.js';
import type { DriftFinding, SuggestedPolicy } from '../schema/drift.js';
import {
  type DriftPolicies,
  decideField,
  driftPolicySet,
  type FieldFinding,
  isOfField,
  OTHER_ROLES,
  outcomeOf,
  rolesOf,
} from './drift-effects.js';

/** Whoever has more new tables than these needs a pack, and not a policy for each. */
const SUGGESTIONS_MAX = 20;
const FIELDS_MAX = 100;
const ID_CHARACTERS_MAX = 60;

/** What nobody should read, masked or not. */
const DENIED_CATEGORIES: readonly string[] = ['secrets'];

/**
 * For each dataset with sensitive fields that nothing covers for anybody, a policy that would: secrets are denied, everything else is
 * masked in full, which a person can loosen. Only what does as it says when it is added to the policies there are is
 * suggested; its test expects just that.
 */
export function suggestPolicies(
  findings: readonly DriftFinding[],
  policies: DriftPolicies,
): SuggestedPolicy[] {
  const taken = new Set(policies.policies.map(({ id }) => id));
  const suggestions: SuggestedPolicy[] = [];
  for (const group of groups(findings)) {
    if (suggestions.length === SUGGESTIONS_MAX) break;
    const suggestion = suggest(group, policies, taken);
    if (suggestion === undefined) continue;
    taken.add(suggestion.id);
    suggestions.push(suggestion);
  }
  return suggestions;
}

interface Group {
  dataset: string;
  action: 'deny' | 'mask';
  fields: FieldFinding[];
}

function groups(findings: readonly DriftFinding[]): Group[] {
  const found = new Map<string, Group>();
  for (const finding of findings.filter(isOfField)) {
    if (!isSensitive(finding) || !isUncoveredForAll(finding)) continue;
    const action = DENIED_CATEGORIES.includes(finding.category ?? '') ? 'deny' : 'mask';
    const key = JSON.stringify([finding.dataset, action]);
    const group = found.get(key) ?? { dataset: finding.dataset, action, fields: [] };
    found.set(key, group);
    if (group.fields.length < FIELDS_MAX) group.fields.push(finding);
  }
  return [...found.values()];
}

function isSensitive({ category = 'internal', sensitivity }: DriftFinding): boolean {
  return category !== 'internal' || sensitivity === 'high';
}

function isUncoveredForAll({ roles }: DriftFinding): boolean {
  return roles !== undefined && Object.keys(roles).every((outcome) => outcome === 'uncovered');
}

function suggest(
  { dataset, action, fields }: Group,
  policies: DriftPolicies,
  taken: ReadonlySet<string>,
): SuggestedPolicy | undefined {
  const id = freeId(
    `${action === 'deny' ? 'deny_secrets' : 'mask_new_fields'}_of_${slug(dataset)}`,
    taken,
  );
  const names = [...new Set(fields.map(({ field }) => field))];
  const text = policyText(id, { dataset, action, fields: names });
  const { policy } = parsePolicyFile(text, `${id}.yaml`);
  if (policy === null) return undefined;
  const [role = OTHER_ROLES] = rolesOf(policies);
  const set = driftPolicySet(fields, { ...policies, policies: [...policies.policies, policy] });
  const wanted = action === 'deny' ? 'denied' : 'masked';
  const holds = fields.every(
    (finding) => outcomeOf(decideField(set, finding, role, policies.at)) === wanted,
  );
  return holds
    ? {
        id,
        policy: { file: `${PROJECT_PATHS.policies}/${id}.yaml`, text },
        test: {
          file: `${PROJECT_PATHS.tests}/${id}.yaml`,
          text: testText(id, role, { dataset, action, fields: names }),
        },
      }
    : undefined;
}

interface Suggested {
  dataset: string;
  action: 'deny' | 'mask';
  fields: readonly string[];
}

function policyText(id: string, { dataset, action, fields }: Suggested): string {
  const what =
    action === 'deny'
      ? 'Nobody reads these'
      : 'Masked in full until somebody has decided otherwise';
  return [
    `id: ${id}`,
    `description: ${what}`,
    'match:',
    `  dataset: ${quoted(dataset)}`,
    `  fields: {any: ${list(fields)}}`,
    action === 'deny'
      ? 'action: {deny: true, reason: Secrets are not read through vkit}'
      : 'action: {mask: true, mask_type: full}',
    '',
  ].join('\n');
}

function testText(id: string, role: string, { dataset, action, fields }: Suggested): string {
  const who = role === OTHER_ROLES ? '' : `requester_role: ${quoted(role)}, `;
  const masks = fields.map((field) => `${quoted(field)}: full`).join(', ');
  return [
    `name: what ${id} covers`,
    'cases:',
    `  - given: {${who}dataset: ${quoted(dataset)}, fields: ${list(fields)}}`,
    action === 'deny'
      ? `    expect: {action: deny, policy_id: ${id}}`
      : `    expect: {action: mask, policy_id: ${id}, masks: {${masks}}}`,
    '',
  ].join('\n');
}

function list(names: readonly string[]): string {
  return `[${names.map(quoted).join(', ')}]`;
}

/** Whatever a database calls its columns, as a YAML text in double quotes in which nothing hides. */
function quoted(name: string): string {
  return JSON.stringify(name).replace(/[\p{C}\p{Z}]/gu, (character) =>
    character === ' '
      ? character
      : `\\U${(character.codePointAt(0) ?? 0).toString(16).padStart(8, '0')}`,
  );
}

function slug(name: string): string {
  const words = name.toLowerCase().replace(/[^a-z0-9]+/g, '_');
  return words.replace(/^_+|_+$/g, '').slice(0, ID_CHARACTERS_MAX) || 'dataset';
}

function freeId(wanted: string, taken: ReadonlySet<string>): string {
  let id = wanted;
  for (let number = 2; taken.has(id); number += 1) id = `${wanted}_${number}`;
  return id;
}
