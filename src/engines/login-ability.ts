import type { LoginAbility } from '../schema/model.js';

const OBJECTS_MAX = 5;

/** The ability, if there is something it concerns; the first few objects are kept. */
export function abilityOver(
  code: LoginAbility['code'],
  message: string,
  objects: readonly string[],
): LoginAbility[] {
  if (objects.length === 0) return [];
  const shown = [...objects].sort().slice(0, OBJECTS_MAX);
  return [{ code, message, objects: shown, count: objects.length }];
}
