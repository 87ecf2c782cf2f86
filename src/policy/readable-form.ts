import type { ErrorObject } from 'ajv/dist/2020.js';

/**
 * A copy of a value without what the errors of its schema are about: keys that are not known, values that are not of
 * their form. A list goes as a whole, so that the places of its other entries never shift. What lacks a key stays.
 */
export function readableForm(value: unknown, errors: readonly ErrorObject[]): unknown {
  const holder = { value: structuredClone(value) };
  for (const error of errors) {
    const steps = ['value', ...error.instancePath.split('/').slice(1).map(unescapeStep)];
    if (error.keyword === 'additionalProperties') {
      const { additionalProperty } = error.params as { additionalProperty: string };
      remove(holder, [...steps, additionalProperty]);
    } else if (error.keyword !== 'required' || isMask(error.instancePath)) {
      remove(holder, steps);
    }
  }
  return holder.value;
}

/** A mask that names no method cannot be judged. */
function isMask(pointer: string): boolean {
  return pointer.startsWith('/masking/');
}

function remove(holder: object, steps: readonly string[]): void {
  let around: unknown = holder;
  for (const [index, step] of steps.entries()) {
    // Something around it is gone already, or goes as the list it is.
    if (typeof around !== 'object' || around === null || !Object.hasOwn(around, step)) return;
    const inside: unknown = (around as Record<string, unknown>)[step];
    if (index === steps.length - 1 || (Array.isArray(inside) && index > 0)) {
      delete (around as Record<string, unknown>)[step];
      return;
    }
    around = inside;
  }
}

function unescapeStep(step: string): string {
  return step.replace(/~1/g, '/').replace(/~0/g, '~');
}
