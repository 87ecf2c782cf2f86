import type { AppliedMask } from './definition.js';

/** What `full` shows in the place of every value. */
export const FULL_TEXT = '*****';

/** A constant: it hides NULL too. */
export function full(): AppliedMask {
  return { expr: { node: 'text', value: FULL_TEXT }, kind: 'text', type: 'text', method: 'full' };
}
