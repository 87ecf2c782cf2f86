import { describe, expect, it } from 'vitest';
import { effectiveMasks } from '../../src/policy/combine-decisions.js';
import { evaluate } from '../../src/policy/evaluate.js';
import type { Decision } from '../../src/policy/model.js';
import { compilePolicySet } from '../../src/policy/policy-set.js';
import { bundleOfCase, type CaseExpectation, caseFiles, inputOfCase } from './cases.js';

/** The parts of a decision that a case speaks of, in the words of the case. */
function spokenOf(decision: Decision, expected: CaseExpectation): Record<string, unknown> {
  const spoken: Record<string, unknown> = {};
  for (const key of Object.keys(expected) as (keyof CaseExpectation)[]) {
    if (key === 'masks') spoken.masks = methodsOf(decision, expected);
    else if (key === 'approved') spoken.approved = approvedOf(decision);
    else if (key === 'applied') spoken.applied = decision.policies_applied;
    else if (key === 'trace') spoken.trace = traceOf(decision, expected);
    else spoken[key] = decision[key];
  }
  return spoken;
}

function methodsOf({ masks }: Decision, expected: CaseExpectation): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(masks).map(([name, mask]) => {
      const short = typeof expected.masks?.[name] === 'string';
      return [name, short ? mask.method : mask];
    }),
  );
}

function approvedOf(decision: Decision): Record<string, string> {
  return Object.fromEntries(
    [...effectiveMasks(decision, { approved: true })].map(([key, mask]) => [
      key.replace('\0', '.'),
      mask?.method ?? 'raw',
    ]),
  );
}

function traceOf(decision: Decision, expected: CaseExpectation): Record<string, string> {
  const entries = (decision.trace ?? []).filter(
    ({ policy_id }) => policy_id in (expected.trace ?? {}),
  );
  return Object.fromEntries(entries.map(({ policy_id, matched }) => [policy_id, matched]));
}

for (const { name, cases } of caseFiles()) {
  describe(name, () => {
    it.each(cases.map((one) => [one.name, one] as const))('%s', (_name, one) => {
      const decision = evaluate(compilePolicySet(bundleOfCase(one)), inputOfCase(one));
      expect(spokenOf(decision, one.expect)).toEqual(one.expect);
    });
  });
}
