import type { Mask } from '../masking/model.js';
import { foldName } from '../util/fold-name.js';
import { lazily } from '../util/lazily.js';
import { type CompiledMatch, compileMatch } from './compile-match.js';
import {
  beyondRoles,
  type CompiledConditions,
  compileConditions,
  rolesNeeded,
} from './conditions.js';
import type { Action, Policy } from './model.js';
import { maskOfSpec } from './strictest-mask.js';

/** A policy made ready for evaluation. */
export interface CompiledPolicy {
  policy: Policy;
  /** Of the policy; here too, since every decision asks for it. */
  action: Action;
  /** Its place in the order of reporting, from 0. */
  order: number;
  match: CompiledMatch;
  conditions: CompiledConditions;
  /** Of which roles one must be held for the conditions not to fail; `null`: they need none in particular. */
  rolesNeeded: readonly string[] | null;
  /** Decides the conditions for somebody of whom it is known that they hold one of `rolesNeeded`; `null`: there are no others. */
  decideBeyondRoles: CompiledConditions['decide'] | null;
  /** Whether `mask_except` takes the field out of what the policy matches. */
  excepts(field: string): boolean;
  /** The mask the policy puts on a field, for a policy that masks. */
  maskOf(field: string): Mask;
  /** Whether that mask is the same for every field. */
  masksAlike: boolean;
  /** That it holds, decided, and lifts nothing: always the same object. */
  plainHold(): Hold;
}

/** A policy that bears on a reference. */
export interface Hold {
  compiled: CompiledPolicy;
  /** `undecided`: an attribute is unknown, which for a restriction counts as holding. */
  truth: 'yes' | 'undecided';
  /** An approval of it also lifts the masks. */
  lifts: boolean;
}

/** Compiles one policy; `order` is its place in the order of reporting. */
export function compilePolicy(
  policy: Policy,
  order: number,
  clearances: readonly string[],
): CompiledPolicy {
  const { default_method: method, rules = {}, except = [] } = policy.masking ?? {};
  const byField = new Map(
    Object.entries(rules).map(([field, spec]) => [foldName(field), maskOfSpec(spec)]),
  );
  const otherMask = maskOfSpec(method);
  const others = beyondRoles(policy.when);
  const hasOthers = Object.keys(others).length > 0;
  const excepted = new Set(except.map((name) => foldName(name)));
  const compiled: CompiledPolicy = {
    policy,
    action: policy.action,
    order,
    match: compileMatch(policy.match),
    conditions: compileConditions(policy.when, clearances),
    rolesNeeded: rolesNeeded(policy.when),
    decideBeyondRoles: hasOthers ? compileConditions(others, clearances).decide : null,
    excepts: (field) => excepted.size > 0 && excepted.has(foldName(field)),
    maskOf: (field) => (byField.size > 0 ? byField.get(foldName(field)) : undefined) ?? otherMask,
    masksAlike: byField.size === 0,
    plainHold: lazily(() => ({ compiled, truth: 'yes', lifts: false })),
  };
  return compiled;
}
