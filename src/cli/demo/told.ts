import { VkitError } from '../../errors/index.js';

/** A fact the story depends on. Throws `internal` where it is otherwise: a story that is not true is not told. */
export function told(holds: boolean, fact: string): asserts holds {
  if (!holds) throw new VkitError('internal', `It was to be that ${fact}, and it was not.`);
}

/** Whether two facts are the same JSON. */
export function same(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

/** The failure of a step, named; its code and what to do stay. What vkit did not throw is left as it is. */
export function inStep(number: number, title: string, error: unknown): unknown {
  if (!(error instanceof VkitError)) return error;
  const { code, hint, details, policyId, message } = error;
  return new VkitError(code, `Step ${number} of the demo, "${title}": ${message}`, {
    ...(hint === undefined ? {} : { hint }),
    ...(details === undefined ? {} : { details }),
    ...(policyId === undefined ? {} : { policyId }),
    cause: error,
  });
}
