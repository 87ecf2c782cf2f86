import type { Mask, MaskMethod } from '../masking/model.js';
import { foldName } from '../util/fold-name.js';
import { lazily } from '../util/lazily.js';
import { type CompiledMatch, compileMatch } from './compile-match.js';
import {
  beyondRoles,
  type CompiledConditions,
  compileConditions,
  rolesNeeded,
} from './conditions.js';
import type { Action, Conditions, Policy, RequiredApproval } from './model.js';
import { RANKS } from './ranks.js';
import { maskOfSpec } from './strictest-mask.js';

/** More policies than fit into memory, and few enough for a small integer of every place. */
const POLICIES_MAX = 2 ** 28;

/** A policy made ready for evaluation. */
export interface CompiledPolicy {
  /** Of the policy, as every decision asks for it. */
  id: string;
  action: Action;
  /** Its place by priority and id, from 0. */
  order: number;
  /** Its place in the order of reporting, in which the strictest action comes first. */
  reportedAt: number;
  /** The method of a policy that masks every field alike. */
  onlyMethod: MaskMethod | null;
  /** What an approval policy asks for, but for `lifts_mask`, which depends on the request. */
  demand: ApprovalDemand | null;
  policy: Policy;
  match: CompiledMatch;
  conditions: CompiledConditions;
  /** Of which roles one must be held for the conditions not to fail; `null`: they need none in particular. */
  rolesNeeded: readonly string[] | null;
  /** What is asked of somebody of whom it is known that they hold one of `rolesNeeded`; `null`: nothing more. */
  beyondRoles: Question | null;
  /** What is asked of anybody. */
  question: Question;
  /** Whether `mask_except` takes the field out of what the policy matches. */
  excepts(field: string): boolean;
  /** The mask the policy puts on a field, for a policy that masks. */
  maskOf(field: string): Mask;
  /** Whether that mask is the same for every field. */
  masksAlike: boolean;
  /** That it holds, decided, and lifts nothing: always the same object. */
  plainHold(): Hold;
}

export type ApprovalDemand = Readonly<Omit<RequiredApproval, 'lifts_mask'>>;

/** Conditions, and as what they must hold: policies that ask the same have the same object, and so get the same answer. */
export interface Question {
  decide: CompiledConditions['decide'];
  /** An allow: not knowing is not enough. */
  isOpening: boolean;
  /** An approval of the policy lifts the masks, if the conditions hold as those of an opening. */
  mayLift: boolean;
}

/** A policy that bears on a reference. */
export interface Hold {
  compiled: CompiledPolicy;
  /** `undecided`: an attribute is unknown, which for a restriction counts as holding. */
  truth: 'yes' | 'undecided';
  /** An approval of it also lifts the masks. */
  lifts: boolean;
}

/** Compiles policies, which come by priority and id. */
export function compilePolicies(
  policies: readonly Policy[],
  clearances: readonly string[],
): CompiledPolicy[] {
  const compiler: Compiler = {
    conditions: remembering((when: Conditions) => compileConditions(when, clearances)),
    question: remembering((asked: Omit<Question, 'decide'> & { when: Conditions }) => ({
      decide: compiler.conditions(asked.when).decide,
      isOpening: asked.isOpening,
      mayLift: asked.mayLift,
    })),
  };
  return policies.map((policy, order) => compilePolicy(policy, order, compiler));
}

/** Many policies have the same conditions: those are one object, which stays in the processor's cache. */
interface Compiler {
  conditions(when: Conditions): CompiledConditions;
  question(asked: Omit<Question, 'decide'> & { when: Conditions }): Question;
}

function remembering<In, Out>(compute: (input: In) => Out): (input: In) => Out {
  const known = new Map<string, Out>();
  return (input) => {
    const key = JSON.stringify(input);
    const found = known.get(key) ?? compute(input);
    known.set(key, found);
    return found;
  };
}

function compilePolicy(policy: Policy, order: number, compiler: Compiler): CompiledPolicy {
  const { default_method: method, rules = {}, except = [] } = policy.masking ?? {};
  const byField = new Map(
    Object.entries(rules).map(([field, spec]) => [foldName(field), maskOfSpec(spec)]),
  );
  const otherMask = maskOfSpec(method);
  const others = beyondRoles(policy.when);
  const hasOthers = Object.keys(others).length > 0;
  const isOpening = policy.action === 'allow';
  const mayLift = !isOpening && policy.approval?.lifts_mask === true;
  const questionOf = (when: Conditions) => compiler.question({ isOpening, mayLift, when });
  const excepted = new Set(except.map((name) => foldName(name)));
  const compiled: CompiledPolicy = {
    id: policy.id,
    action: policy.action,
    order,
    reportedAt: RANKS[policy.action] * POLICIES_MAX + order,
    onlyMethod: policy.action === 'mask' && byField.size === 0 ? otherMask.method : null,
    demand: policy.action === 'require_approval' ? demandOf(policy) : null,
    policy,
    match: compileMatch(policy.match),
    conditions: compiler.conditions(policy.when),
    rolesNeeded: rolesNeeded(policy.when),
    beyondRoles: hasOthers ? questionOf(others) : null,
    question: questionOf(policy.when),
    excepts: (field) => excepted.size > 0 && excepted.has(foldName(field)),
    maskOf: (field) => (byField.size > 0 ? byField.get(foldName(field)) : undefined) ?? otherMask,
    masksAlike: byField.size === 0,
    plainHold: lazily(() => ({ compiled, truth: 'yes', lifts: false })),
  };
  return compiled;
}

function demandOf({ id, approval }: Policy): ApprovalDemand {
  return {
    policy_id: id,
    approver_role: approval?.approver_role ?? '',
    approvals: approval?.approvals ?? 1,
    // Every decision shows the same list.
    metadata_required: Object.freeze([...(approval?.metadata_required ?? [])].sort()),
  };
}
