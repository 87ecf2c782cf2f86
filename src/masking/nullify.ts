import type { AppliedMask, MaskedColumn } from './definition.js';

/** NULL of the column's own type, whatever the value was. */
export function nullify({ kind, type }: MaskedColumn): AppliedMask {
  return { expr: { node: 'null', type }, kind, type, method: 'nullify' };
}
