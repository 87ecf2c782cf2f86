import type { Attribute } from './attributes.js';
import { listOf } from './compile-match.js';
import type { DraftFile, Finding, ValidationContext } from './finding.js';
import type { PolicyDraft } from './model.js';
import { type Named, unknownName } from './unknown-name.js';

/**
 * Roles, environments and regions that a policy names and the project does not know. A role is an error, since vkit.yaml
 * lists them; an environment or a region a warning, since the datasource that has it may still come. Either way the
 * condition never holds, which switches a restriction off without a word.
 */
export function checkContextNames(
  file: DraftFile,
  { roles, environments, regions }: ValidationContext,
): Finding[] {
  const { approval } = file.policy;
  const approver: Named[] = approval
    ? [{ name: approval.approver_role, pointer: '/action/approver_role' }]
    : [];
  const check = (
    named: Named[],
    what: string,
    known: readonly string[] | undefined,
    mild: boolean,
  ) =>
    known === undefined
      ? []
      : named
          .filter(({ name }) => !known.includes(name))
          .map((entry) => unknownName(file, entry, what, known, mild));
  return [
    ...check([...approver, ...valuesOf(file.policy, 'requester_role')], 'role', roles, false),
    ...check(valuesOf(file.policy, 'environment'), 'environment', environments, true),
    ...check(valuesOf(file.policy, 'dataset_region'), 'region', regions, true),
  ];
}

/** The values an attribute is compared with; references to other attributes aside. */
function valuesOf({ when }: PolicyDraft, attribute: Attribute): Named[] {
  const condition = when[attribute];
  const values =
    typeof condition === 'object' && !Array.isArray(condition)
      ? Object.entries(condition).flatMap(([key, value]) =>
          key === 'present' ? [] : listOf(value),
        )
      : condition === undefined
        ? []
        : listOf(condition);
  // Conditions may stand in three places, which mean the same.
  const pointer = ['context', 'when', 'match/context'].map((place) => `/${place}/${attribute}`);
  // `true` and 3 are compared as the texts that they are in a requester.
  return values.map(String).flatMap((name) => (name.startsWith('$') ? [] : [{ name, pointer }]));
}
