import { VkitError } from '../../errors/index.js';

/** More rows than any page, and few enough to hold. */
export const LIST_ROWS_MAX = 10_000;

/** The limit of a list; throws `limit_exceeded` above LIST_ROWS_MAX, rather than leave rows out unsaid. */
export function rowLimit(limit: number): number {
  if (Number.isSafeInteger(limit) && limit >= 0 && limit <= LIST_ROWS_MAX) return limit;
  throw new VkitError('limit_exceeded', `A list has at most ${LIST_ROWS_MAX} rows.`);
}

/** The text of a JSON column. */
export function toJson(value: unknown): string {
  return JSON.stringify(value);
}

/** What `toJson` wrote; the type is the writer's, which is this program. */
export function fromJson<T>(text: string): T {
  return JSON.parse(text) as T;
}
