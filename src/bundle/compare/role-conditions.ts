import type { Conditions, ConditionValue } from '../../policy/model.js';

/** What the conditions of one policy ask of the roles that somebody holds, whatever else they ask. */
export interface RolesAsked {
  /** Of each of these lists one role must be held. */
  wanted: readonly (readonly string[])[];
  /** None of these may be held. */
  refused: readonly string[];
  /** Whether roles meet the value of another attribute, so that whether they fulfil the condition depends on that. */
  isLinked: boolean;
  /** Whether roles are compared with a clearance, where the order of the roles and all of them together count. */
  isOrdered: boolean;
}

const ROLES = '$requester_role';

/** `pool` are all roles that there are, for what may be any of them. */
export function rolesAskedBy(conditions: Conditions, pool: readonly string[]): RolesAsked {
  const wanted: (readonly string[])[] = [];
  const refused: string[] = [];
  let isLinked = false;
  let isOrdered = false;
  for (const [attribute, value] of Object.entries(conditions)) {
    if (attribute === 'time') continue;
    const isOfRoles = attribute === 'requester_role';
    for (const [operator, operand] of operatorsOf(value as ConditionValue)) {
      const values = (Array.isArray(operand) ? operand : [operand]).map(String);
      if (!isOfRoles && !values.includes(ROLES)) continue;
      const hasReference = operator !== 'present' && values.some((text) => text.startsWith('$'));
      isLinked ||= hasReference;
      isOrdered ||= attribute === 'requester_clearance';
      const roles = isOfRoles && !hasReference ? values : [...values, ...pool];
      if (operator === 'eq' || operator === 'in') wanted.push(roles);
      if (operator === 'neq' || operator === 'nin') refused.push(...roles);
      if (operator !== 'present') continue;
      if (operand === true) wanted.push(pool);
      else refused.push(...pool);
    }
  }
  return { wanted, refused, isLinked, isOrdered };
}

function operatorsOf(value: ConditionValue): readonly (readonly [string, unknown])[] {
  if (Array.isArray(value)) return [['in', value]];
  return typeof value === 'object' ? Object.entries(value) : [['eq', value]];
}
