import { TTL_SECONDS_DEFAULT } from '../../policy/bounds.js';
import type { Policy } from '../../policy/model.js';
import { keyOfMask, maskOfSpec } from '../../policy/strictest-mask.js';
import { foldName } from '../../util/fold-name.js';
import type { Target } from './decide-cells.js';
import type { Pair } from './model.js';
import type { RoleQuestion } from './role-sets.js';

/**
 * The policies of which a decision may need more than one in the same bundle. Two different `partial` masks make one that
 * is stricter than both; an approval that does not lift a mask matters where there is a mask. A count of a dataset is as
 * open as the most open of its fields, so that each kind of field may need a policy of its own that closes it.
 */
export function extraPolicies(
  { a, b }: Pair<Target | null>,
  field: string | null,
): RoleQuestion['extra'] {
  const sides = [a, b].filter((target) => target !== null);
  if (field === null) {
    const policies = sides.flatMap((side) => side.policies.filter(bearsOnCount));
    return { policies, count: Math.max(...sides.map(({ dataset }) => dataset.fields.length)) };
  }
  const needing = sides.filter((side) => needsTwo(side.policies, field));
  if (needing.length === 0) return { policies: [], count: 0 };
  const policies = needing.flatMap((side) =>
    side.policies.filter(({ action }) => action === 'mask' || action === 'require_approval'),
  );
  return { policies, count: 1 };
}

function bearsOnCount({ action, ttl_seconds = 0 }: Policy): boolean {
  return action === 'deny' || action === 'require_approval' || ttl_seconds > TTL_SECONDS_DEFAULT;
}

function needsTwo(policies: readonly Policy[], field: string): boolean {
  const masks = policies.filter(({ action }) => action === 'mask');
  const lifts = policies.some(({ approval }) => approval?.lifts_mask === true);
  const keys = masks.map((policy) => keyOfMask(maskOn(policy, field)));
  const partials = new Set(keys.filter((key) => key.startsWith('partial')));
  return partials.size > 1 || (lifts && masks.length > 0);
}

/** What a policy masks a field with. */
function maskOn({ masking }: Policy, field: string) {
  const rules = Object.entries(masking?.rules ?? {});
  const rule = rules.find(([name]) => foldName(name) === foldName(field));
  return maskOfSpec(rule?.[1] ?? masking?.default_method);
}
