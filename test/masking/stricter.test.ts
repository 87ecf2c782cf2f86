import { describe, expect, it } from 'vitest';
import { MASK_METHODS, type Mask, stricter } from '../../src/masking/index.js';

const partial = (prefix: number): Mask => ({ method: 'partial', prefix, suffix: 0, minLength: 6 });
const maskOf = (method: Mask['method']): Mask => (method === 'partial' ? partial(3) : { method });

describe('stricter', () => {
  it('takes the stricter method, whichever comes first', () => {
    for (const [a, left] of MASK_METHODS.entries()) {
      for (const [b, right] of MASK_METHODS.entries()) {
        const expected = MASK_METHODS[Math.min(a, b)];
        expect(stricter(maskOf(left), maskOf(right)).method).toBe(expected);
      }
    }
  });

  it('keeps one partial and makes two different ones full', () => {
    expect(stricter(partial(3), partial(3))).toEqual(partial(3));
    expect(stricter(partial(3), partial(2))).toEqual({ method: 'full' });
  });
});
