/** The clearances of a project that names no others, from lowest to highest. */
export const DEFAULT_CLEARANCES = ['low', 'medium', 'high', 'admin'] as const;

/**
 * The level of a clearance, 1 for the lowest: a name of the list, or an integer that is such a level itself. `null` for
 * anything else, which leaves a comparison undecided.
 */
export function clearanceLevel(
  clearances: readonly string[],
  value: string | number | boolean | null,
): number | null {
  if (typeof value === 'number') {
    return Number.isInteger(value) && value >= 1 && value <= clearances.length ? value : null;
  }
  if (typeof value !== 'string') return null;
  const index = clearances.indexOf(value);
  return index < 0 ? null : index + 1;
}
