import { VALUE_CHECKS, type ValueCheck } from './value-checks.js';

/** How many of the sampled values of a column pass which check. Values themselves are not kept. */
export interface ValueCounts {
  /** Values that were not NULL. */
  values: number;
  passed: ReadonlyMap<string, number>;
}

/** Longer values are cut where they are read: so much of a value is looked at. */
export const VALUE_CHARACTERS_MAX = 256;

export function countValues(values: Iterable<string>): ValueCounts {
  const passed = new Map<string, number>();
  let count = 0;
  for (const value of values) {
    const text = value.slice(0, VALUE_CHARACTERS_MAX).trim();
    if (text === '') continue;
    count += 1;
    for (const check of VALUE_CHECKS) {
      if (check.passes(text)) passed.set(check.id, (passed.get(check.id) ?? 0) + 1);
    }
  }
  return { values: count, passed };
}

/** The checks that enough of the values pass, each with its reason: `12 of 50 sampled values pass Luhn`. */
export function whatValuesSay({
  values,
  passed,
}: ValueCounts): { check: ValueCheck; because: string }[] {
  return VALUE_CHECKS.flatMap((check) => {
    const count = passed.get(check.id) ?? 0;
    if (count === 0 || count < values * check.shareMin) return [];
    return [{ check, because: `${count} of ${values} sampled values ${check.does} (${check.id})` }];
  });
}
