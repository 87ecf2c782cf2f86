import { ATTRIBUTES, type Attribute, isAttribute } from '../../policy/attributes.js';
import type { Conditions, ConditionValue, Policy, TimeCondition } from '../../policy/model.js';

/** What the conditions of some policies look at. */
export interface LookedAt {
  /** The attributes that a condition names, on either side of a comparison. */
  attributes: ReadonlySet<Attribute>;
  /** The values each attribute is compared with, as text, sorted. */
  values: ReadonlyMap<Attribute, readonly string[]>;
  /** The attributes whose values meet each other in a comparison (`$requester_region`), itself included. */
  linked: ReadonlyMap<Attribute, readonly Attribute[]>;
  /** The attributes of which a policy asks whether they are there. */
  present: ReadonlySet<Attribute>;
  windows: readonly TimeCondition[];
}

/** What one condition looks at. */
interface Operands {
  values: readonly string[];
  references: readonly Attribute[];
  present: boolean;
}

export function lookedAtBy(policies: readonly Policy[]): LookedAt {
  const values = new Map<Attribute, Set<string>>(ATTRIBUTES.map((name) => [name, new Set()]));
  const groups = new Map<Attribute, Attribute[]>(ATTRIBUTES.map((name) => [name, [name]]));
  const attributes = new Set<Attribute>();
  const present = new Set<Attribute>();
  const windows = new Map<string, TimeCondition>();
  for (const conditions of distinctConditions(policies)) {
    for (const [attribute, value] of Object.entries(conditions)) {
      if (attribute === 'time') windows.set(JSON.stringify(value), value as TimeCondition);
      if (!isAttribute(attribute)) continue;
      attributes.add(attribute);
      const operands = operandsOf(value as ConditionValue);
      for (const one of operands.values) values.get(attribute)?.add(one);
      if (operands.present) present.add(attribute);
      for (const reference of operands.references) {
        attributes.add(reference);
        join(groups, attribute, reference);
      }
    }
  }
  return {
    attributes,
    values: new Map([...values].map(([name, set]) => [name, [...set].sort()])),
    linked: groups,
    present,
    windows: [...windows.values()],
  };
}

/** Many policies have the same conditions, or none. */
function distinctConditions(policies: readonly Policy[]): Iterable<Conditions> {
  const distinct = new Map<string, Conditions>();
  for (const { when } of policies) distinct.set(JSON.stringify(when), when);
  return distinct.values();
}

function operandsOf(condition: ConditionValue): Operands {
  const isOperators = typeof condition === 'object' && !Array.isArray(condition);
  const entries = isOperators ? Object.entries(condition) : [['', condition] as const];
  const scalars = entries
    .filter(([operator]) => operator !== 'present')
    .flatMap(([, wanted]) => (Array.isArray(wanted) ? wanted : [wanted]))
    .map(String);
  const names = scalars.filter((text) => text.startsWith('$')).map((text) => text.slice(1));
  return {
    values: scalars.filter((text) => !text.startsWith('$')),
    references: names.filter(isAttribute),
    present: entries.some(([operator]) => operator === 'present'),
  };
}

function join(groups: Map<Attribute, Attribute[]>, one: Attribute, other: Attribute): void {
  const all = new Set([...(groups.get(one) ?? []), ...(groups.get(other) ?? [])]);
  for (const attribute of all) groups.set(attribute, [...all]);
}
