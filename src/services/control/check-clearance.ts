import { VkitError } from '../../errors/index.js';
import { clearanceLevel, DEFAULT_CLEARANCES } from '../../policy/clearance.js';
import { nearest } from '../../util/levenshtein.js';
import type { ControlContext } from './context.js';

/**
 * A clearance by its name in the active bundle's list; an integer is the name of its level. Throws `validation` for any
 * other: an account with a clearance that no policy knows would be a typing error that nobody sees. Without an active
 * bundle, which may name its own, every name is taken. `null` is an account without one.
 */
export async function checkClearance(
  ctx: ControlContext,
  clearance: string | number | null,
): Promise<string | null> {
  if (clearance === null) return null;
  const active = await ctx.activeBundle(ctx.store);
  if (!active && typeof clearance === 'string') return clearance;
  const known = active?.policies.clearances ?? DEFAULT_CLEARANCES;
  const level = clearanceLevel(known, clearance);
  if (level !== null) return known[level - 1] ?? null;
  const near = typeof clearance === 'string' ? nearest(clearance, known) : undefined;
  const message = `is no clearance that is known: ${known.join(', ')}`;
  throw new VkitError('validation', `The clearance ${message}.`, {
    ...(near === undefined ? {} : { hint: `Did you mean "${near}"?` }),
    details: { problems: [{ pointer: '/clearance', code: 'unknown_clearance', message }] },
  });
}
