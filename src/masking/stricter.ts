import { MASK_METHODS, type Mask } from './model.js';

/** The stricter of two masks that apply to one field; two different `partial` give `full`. */
export function stricter(left: Mask, right: Mask): Mask {
  if (left.method === 'partial' && right.method === 'partial') {
    const same =
      left.prefix === right.prefix &&
      left.suffix === right.suffix &&
      left.minLength === right.minLength;
    return same ? left : { method: 'full' };
  }
  return rank(left) <= rank(right) ? left : right;
}

function rank(mask: Mask): number {
  return MASK_METHODS.indexOf(mask.method);
}
