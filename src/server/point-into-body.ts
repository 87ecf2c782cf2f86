import { VkitError } from '../errors/index.js';

/** What stands before the pointers of a query's normal form, and what stands there in the body it was read from. */
export type PointerMap = readonly (readonly [normal: string, written: string])[];

/** A query in the agents' form. */
export const INTENT_POINTERS: PointerMap = [
  ['/aql/source_table', '/request/dataset'],
  ['/aql/columns', '/request/fields'],
  ['/aql', '/request'],
];

/** A query: its one `order_by` may be written without a list around it. */
export function aqlPointers(written: unknown): PointerMap {
  const orderBy = (written as { order_by?: unknown } | null)?.order_by;
  return Array.isArray(orderBy) ? [] : [['/aql/order_by/0', '/aql/order_by']];
}

/**
 * Waits for an answer; the problems of an error come with pointers into the body as the requester wrote it. Names and
 * types are checked on the query's normal form, which is another document.
 */
export async function pointIntoBody<T>(pointers: PointerMap, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    const problems = error instanceof VkitError ? error.details?.problems : undefined;
    if (problems === undefined) throw error;
    const { code, message, details, ...rest } = error as VkitError;
    const pointed = problems.map((problem) =>
      problem.pointer === undefined
        ? problem
        : { ...problem, pointer: asWritten(problem.pointer, pointers) },
    );
    const pointing = { ...rest, cause: error, details: { ...details, problems: pointed } };
    throw new VkitError(code, message, pointing);
  }
}

function asWritten(pointer: string, pointers: PointerMap): string {
  for (const [normal, written] of pointers) {
    if (pointer === normal || pointer.startsWith(`${normal}/`)) {
      return written + pointer.slice(normal.length);
    }
  }
  return pointer;
}
