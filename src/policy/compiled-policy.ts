import type { Mask } from '../masking/model.js';
import { type CompiledMatch, compileMatch } from './compile-match.js';
import { type CompiledConditions, compileConditions, rolesNeeded } from './conditions.js';
import type { Policy } from './model.js';
import { maskOfSpec } from './strictest-mask.js';

/** A policy made ready for evaluation. */
export interface CompiledPolicy {
  policy: Policy;
  /** Its place in the order of reporting, from 0. */
  order: number;
  match: CompiledMatch;
  conditions: CompiledConditions;
  /** Of which roles one must be held for the conditions not to fail; `null`: they need none in particular. */
  rolesNeeded: readonly string[] | null;
  /** Whether `mask_except` takes the field out of what the policy matches. */
  excepts(field: string): boolean;
  /** The mask the policy puts on a field, for a policy that masks. */
  maskOf(field: string): Mask;
  /** Whether that mask is the same for every field. */
  masksAlike: boolean;
}

/** Compiles one policy; `order` is its place in the order of reporting. */
export function compilePolicy(
  policy: Policy,
  order: number,
  clearances: readonly string[],
): CompiledPolicy {
  const { default_method: method, rules = {}, except = [] } = policy.masking ?? {};
  const byField = new Map(
    Object.entries(rules).map(([field, spec]) => [field.toLowerCase(), maskOfSpec(spec)]),
  );
  const others = maskOfSpec(method);
  const excepted = new Set(except.map((name) => name.toLowerCase()));
  return {
    policy,
    order,
    match: compileMatch(policy.match),
    conditions: compileConditions(policy.when, clearances),
    rolesNeeded: rolesNeeded(policy.when),
    excepts: (field) => excepted.size > 0 && excepted.has(field.toLowerCase()),
    maskOf: (field) => (byField.size > 0 ? byField.get(field.toLowerCase()) : undefined) ?? others,
    masksAlike: byField.size === 0,
  };
}
