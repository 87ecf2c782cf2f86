import type { AppliedMask, MaskDefinition, MaskedColumn } from './definition.js';
import { full } from './full.js';
import { hash } from './hash.js';
import type { Mask, MaskMethod } from './model.js';
import { nullify } from './nullify.js';
import { partial } from './partial.js';
import { tokenize } from './tokenize.js';

export type { AppliedMask, MaskDefinition, MaskedColumn } from './definition.js';
export { MASK_METHODS, type Mask, type MaskMethod } from './model.js';
export { stricter } from './stricter.js';

/** Every mask there is. */
export const MASKS = {
  nullify,
  full,
  tokenize,
  hash,
  partial,
} as const satisfies Record<MaskMethod, MaskDefinition>;

/** The expression that takes a masked column's place. */
export function applyMask(target: MaskedColumn, mask: Mask): AppliedMask {
  const definition: MaskDefinition = MASKS[mask.method];
  return definition(target, mask);
}
