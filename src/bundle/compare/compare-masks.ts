import { MASK_METHODS } from '../../masking/model.js';
import type { MaskOutcome } from './model.js';

/** What a step from one thing to another does; both where the two are not comparable. */
export interface Step {
  widens: boolean;
  narrows: boolean;
}

/** From one mask to another, `null` being raw: by the strictness of the methods, and of two `partial` by what they show. */
export function compareMasks(from: MaskOutcome | null, to: MaskOutcome | null): Step {
  if (from?.method === 'partial' && to?.method === 'partial') {
    return {
      widens: to.prefix > from.prefix || to.suffix > from.suffix || to.min_length < from.min_length,
      narrows:
        to.prefix < from.prefix || to.suffix < from.suffix || to.min_length > from.min_length,
    };
  }
  return compareNumbers(openness(from), openness(to));
}

/** From one number to another, where more is wider. */
export function compareNumbers(from: number, to: number): Step {
  return { widens: to > from, narrows: to < from };
}

function openness(mask: MaskOutcome | null): number {
  return mask === null ? MASK_METHODS.length : MASK_METHODS.indexOf(mask.method);
}
