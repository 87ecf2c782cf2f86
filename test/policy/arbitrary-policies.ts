import fc from 'fast-check';
import type { MaskMethod } from '../../src/masking/model.js';
import type { Action, FieldMatch, MaskSpec, Policy, PolicyMatch } from '../../src/policy/model.js';
import { conditionsArbitrary } from './arbitrary-conditions.js';
import type { World } from './worlds.js';

/** Policies of a world; each action as often as it is in `actions`. */
export interface PolicyOptions {
  actions?: readonly Action[];
  /** Also with what no file may say, such as a time zone that there is not. */
  strange?: boolean;
  /** How often of ten a policy names a dataset. */
  named?: number;
}

/** So many of each that many requests are not denied, and other rules are seen. */
const ACTIONS: readonly Action[] = actionsOf({ deny: 2, require_approval: 3, mask: 4, allow: 5 });
const TTLS = [60, 900, 3_600, 7_200, 28_800, 100_000];
const SENSITIVITIES = ['low', 'medium', 'high'] as const;
const CATEGORIES = ['pii', 'PII', 'internal', 'financial', 'secret'];
const TAGS = ['contact', 'pii', 'national', 'financial', 'Internal', 'nothing'];

export function actionsOf(counts: Readonly<Record<Action, number>>): readonly Action[] {
  return Object.entries(counts).flatMap(([action, count]) =>
    Array.from({ length: count }, () => action as Action),
  );
}

/** `times` of ten it is there. */
function maybe<T>(times: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof(
    { weight: 10 - times, arbitrary: fc.constant(undefined) },
    { weight: times, arbitrary },
  );
}

/** Without the keys that are undefined. */
function defined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

function someOf<T>(values: readonly T[], max: number): fc.Arbitrary<T[]> {
  return fc.array(fc.constantFrom(...values), { minLength: 1, maxLength: max });
}

function namesArbitrary(names: readonly string[], globs: readonly string[]) {
  return fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...names) },
    { weight: 2, arbitrary: fc.constantFrom(...globs) },
    { weight: 2, arbitrary: someOf([...names, ...names, ...globs], 3) },
  );
}

function fieldsArbitrary(names: readonly string[]): fc.Arbitrary<FieldMatch> {
  const sensitivity = fc.oneof(fc.constantFrom(...SENSITIVITIES), someOf(SENSITIVITIES, 2));
  const category = fc.oneof(fc.constantFrom(...CATEGORIES), someOf(CATEGORIES, 2));
  const one = fc.oneof<fc.Arbitrary<FieldMatch>[]>(
    sensitivity.map((value) => ({ sensitivity: value })),
    category.map((value) => ({ category: value })),
    someOf(TAGS, 2).map((contains) => ({ contains })),
    someOf(names, 4).map((any) => ({ any })),
    someOf(names, 4).map((any) => ({ any })),
    someOf(names, 3).map((all) => ({ all })),
  );
  return fc.oneof(
    { weight: 5, arbitrary: one },
    { weight: 1, arbitrary: fc.tuple(one, one).map(([a, b]) => ({ ...a, ...b })) },
  );
}

function matchArbitrary(world: World, named: number): fc.Arbitrary<PolicyMatch> {
  const dataset = namesArbitrary(world.datasetNames, world.datasetGlobs);
  return fc
    .tuple(
      maybe(2, namesArbitrary(world.datasourceNames, world.datasourceGlobs)),
      maybe(named, dataset),
      maybe(5, fieldsArbitrary(world.fieldNames)),
    )
    .map(([datasource, name, fields]) => defined({ datasource, dataset: name, fields }));
}

const method = fc.constantFrom<MaskMethod[]>('nullify', 'full', 'tokenize', 'hash', 'partial');
const options = fc
  .tuple(
    maybe(7, fc.constantFrom(0, 1, 2, 3)),
    maybe(5, fc.constantFrom(0, 4)),
    maybe(5, fc.constantFrom(8, 12)),
  )
  .map(([prefix, suffix, min_length]) =>
    defined({ method: 'partial' as const, prefix, suffix, min_length }),
  );
const spec: fc.Arbitrary<MaskSpec> = fc.oneof(
  { weight: 4, arbitrary: method },
  { weight: 1, arbitrary: method.map((one) => ({ method: one })) },
  { weight: 4, arbitrary: options },
);

function maskingArbitrary(names: readonly string[]): fc.Arbitrary<NonNullable<Policy['masking']>> {
  // No two names that differ in case alone: nobody could tell which of the rules holds.
  const distinct = names.filter(
    (name, index) => names.findIndex((one) => one.toLowerCase() === name.toLowerCase()) === index,
  );
  const rules = fc
    .array(fc.tuple(fc.constantFrom(...distinct), spec), { minLength: 1, maxLength: 3 })
    .map((all) => Object.fromEntries(all));
  return fc
    .tuple(maybe(9, spec), maybe(3, rules), maybe(3, someOf(names, 2)))
    .map(([default_method, rules, except]) => defined({ default_method, rules, except }));
}

const approval: fc.Arbitrary<NonNullable<Policy['approval']>> = fc
  .tuple(
    fc.constantFrom('dpo', 'finance_manager'),
    maybe(3, fc.constantFrom(1, 2, 3)),
    maybe(3, fc.subarray(['ticket', 'Case', 'a'], { minLength: 1 })),
    fc.constantFrom(true, true, false, undefined),
  )
  .map(([approver_role, approvals, metadata_required, lifts_mask]) =>
    defined({ approver_role, approvals, metadata_required, lifts_mask }),
  );

/**
 * A policy as a bundle carries it. Its id is a letter: `withIds` makes it one of its own, in an order that has nothing to
 * do with that of the policies.
 */
export function policyArbitraryOf(
  world: World,
  { actions = ACTIONS, strange = false, named = 5 }: PolicyOptions = {},
): fc.Arbitrary<Policy> {
  const common = fc
    .tuple(
      fc.constantFrom('a', 'm', 'z'),
      matchArbitrary(world, named),
      conditionsArbitrary(strange),
      fc.constantFrom(0, 0, 1, 2, -5, 150),
      maybe(3, fc.constantFrom('Because', 'No')),
      maybe(5, fc.constantFrom(...TTLS)),
      maybe(2, fc.constantFrom(1, 10, 1_000)),
      maybe(2, fc.boolean()),
    )
    .map(([id, match, when, priority, reason, ttl_seconds, max_rows, auto_revoke]) =>
      defined({ id, match, when, priority, reason, ttl_seconds, max_rows, auto_revoke }),
    );
  const masking = maskingArbitrary(world.fieldNames);
  const plain = (action: Action): fc.Arbitrary<Policy> => common.map((one) => ({ ...one, action }));
  const byAction: Record<Action, fc.Arbitrary<Policy>> = {
    deny: plain('deny'),
    allow: plain('allow'),
    mask: fc.tuple(common, masking).map(([one, masks]) => ({
      ...one,
      action: 'mask' as const,
      masking: masks,
    })),
    require_approval: fc.tuple(common, approval).map(([one, asked]) => ({
      ...one,
      action: 'require_approval' as const,
      approval: asked,
    })),
  };
  return fc.oneof(...actions.map((action) => byAction[action]));
}

/** Each policy with an id of its own. */
export function withIds(policies: readonly Policy[]): readonly Policy[] {
  return policies.map((policy, index) => ({ ...policy, id: `${policy.id}${index}` }));
}
