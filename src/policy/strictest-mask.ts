import { MASK_METHODS, type Mask, type MaskMethod } from '../masking/model.js';
import type { MaskSpec } from './model.js';

const PREFIX_DEFAULT = 3;
const SUFFIX_DEFAULT = 0;

/** A mask with its options resolved; `full` where a policy names none. */
export function maskOfSpec(spec: MaskSpec | undefined): Mask {
  const options = typeof spec === 'object' ? spec : { method: spec ?? 'full' };
  if (options.method !== 'partial') return { method: options.method };
  const prefix = options.prefix ?? PREFIX_DEFAULT;
  const suffix = options.suffix ?? SUFFIX_DEFAULT;
  const minLength = options.min_length ?? 2 * (prefix + suffix);
  return { method: 'partial', prefix, suffix, minLength };
}

/** The strictest of the methods; `undefined` of none. */
export function strictestMethod(methods: readonly MaskMethod[]): MaskMethod | undefined {
  return MASK_METHODS.find((method) => methods.includes(method));
}

/**
 * The mask that hides what any of these hides; `undefined` of none. Two different `partial` give at least `full`, also
 * beside a `hash`: together they may show a whole value, and a further mask must never open what two have closed.
 */
export function strictestMask(masks: readonly Mask[]): Mask | undefined {
  if (masks.length < 2) return masks[0];
  const partials = new Set(masks.filter((mask) => mask.method === 'partial').map(keyOfMask));
  const methods = masks.map((mask) => mask.method);
  if (partials.size > 1) methods.push('full');
  const strictest = strictestMethod(methods);
  if (strictest === undefined) return undefined;
  return masks.find((mask) => mask.method === strictest) ?? maskOfSpec(strictest);
}

/** Equal for equal masks. */
export function keyOfMask(mask: Mask): string {
  if (mask.method !== 'partial') return mask.method;
  return `partial:${mask.prefix}:${mask.suffix}:${mask.minLength}`;
}
