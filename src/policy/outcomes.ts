import type { Question } from './compiled-policy.js';
import type { Judgement } from './judgement.js';

/**
 * What candidates came to, by how the conditions of each stood. Those alone decide it: where masks are alike and nothing
 * depends on what else is touched, neither the requester, the dataset nor the moment is asked for anything beyond them.
 */
export interface Outcomes {
  /** Of the code 0, which all have where nothing beyond roles is asked, or every answer is no. */
  plain: Judgement | undefined;
  /** Of other codes, as of `codeOf`. */
  others: Map<number, Judgement> | undefined;
  readonly budget: OutcomeBudget;
}

/** How many outcomes a policy set still has room for. */
export interface OutcomeBudget {
  left: number;
}

/** Outcomes that one policy set remembers, each of a few hundred bytes; beyond, they are put together anew. */
const OUTCOMES_MAX = 65_536;

/** Two bits for each answer, in a number that fits into 31. */
const QUESTIONS_MAX = 15;

/** Of candidates that are not remembered themselves. */
export const NO_BUDGET: OutcomeBudget = { left: 0 };

export function createBudget(): OutcomeBudget {
  return { left: OUTCOMES_MAX };
}

/** Equal for answers of equal codes (0 to 3) to the same questions, and for no others; `null` for too many of them. */
export function codeOf(
  questions: readonly Question[],
  ask: (question: Question) => { readonly code: number },
): number | null {
  if (questions.length > QUESTIONS_MAX) return null;
  let code = 0;
  for (const question of questions) code = code * 4 + ask(question).code;
  return code;
}

export function outcomeOf(outcomes: Outcomes, code: number): Judgement | undefined {
  return code === 0 ? outcomes.plain : outcomes.others?.get(code);
}

/** Remembers an outcome, if the policy set has room. */
export function keepOutcome(outcomes: Outcomes, code: number, judgement: Judgement): void {
  if (outcomes.budget.left <= 0) return;
  outcomes.budget.left -= 1;
  // Many decisions show the same list.
  Object.freeze(judgement.policyIds);
  if (code === 0) outcomes.plain = judgement;
  else {
    outcomes.others ??= new Map();
    outcomes.others.set(code, judgement);
  }
}
