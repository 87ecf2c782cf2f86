import { isDeepStrictEqual } from 'node:util';
import type { Bundle } from '../../src/bundle/model.js';
import type { Decision, EvaluationInput } from '../../src/policy/model.js';
import type { Note } from './reference/note.js';
import { type ReferenceAnswer, referenceEvaluate } from './reference/reference-evaluate.js';

/** One request on which the two do not agree. */
export interface Disagreement {
  input: EvaluationInput;
  /** The parts of the decision that differ. */
  differences: readonly { part: string; engine: unknown; reference: unknown }[];
}

/** What of a decision differs from that of the reference; `null` where nothing does. */
export function disagreementOn(
  bundle: Bundle,
  input: EvaluationInput,
  decision: Decision,
  note?: Note,
): Disagreement | null {
  return disagreement(input, decision, referenceEvaluate(bundle, input, note));
}

export function disagreement(
  input: EvaluationInput,
  { trace, ...decision }: Decision,
  { matched, ...answer }: ReferenceAnswer,
): Disagreement | null {
  const engine: Record<string, unknown> = { ...decision, matched: matchedOf(trace) };
  const reference: Record<string, unknown> = { ...answer, matched };
  const parts = [...new Set([...Object.keys(engine), ...Object.keys(reference)])];
  const differences = parts
    .filter((part) => !isDeepStrictEqual(engine[part], reference[part]))
    .map((part) => ({ part, engine: engine[part], reference: reference[part] }));
  return differences.length === 0 ? null : { input, differences };
}

/** A disagreement with all that one needs to look at it, and to see it again. */
export function describeDisagreement(
  { bundle: { default_action, clearances }, policies }: Bundle,
  { input, differences }: Disagreement,
): string {
  const lines = differences.flatMap(({ part, engine, reference }) => [
    `  ${part}`,
    `    engine:    ${JSON.stringify(engine)}`,
    `    reference: ${JSON.stringify(reference)}`,
  ]);
  return [
    'The engine and the reference disagree.',
    ...lines,
    `  default_action: ${default_action}`,
    `  clearances: ${JSON.stringify(clearances ?? 'as usual')}`,
    '  policies:',
    ...policies.map((policy) => `    ${JSON.stringify(policy)}`),
    `  input: ${JSON.stringify(input)}`,
    `  at: ${new Date(input.at).toISOString()}`,
  ].join('\n');
}

function matchedOf(trace: Decision['trace']) {
  return trace && Object.fromEntries(trace.map(({ policy_id, matched }) => [policy_id, matched]));
}
