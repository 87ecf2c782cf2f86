import { VkitError } from '../errors/index.js';

/** A value that may be given as an argument or as a flag, or as both if they agree; `undefined` where it is in neither. */
export function oneOf(
  argument: string | undefined,
  flag: string | undefined,
  name: string,
): string | undefined {
  if (argument !== undefined && flag !== undefined && argument !== flag) {
    throw new VkitError('usage', `The argument and the flag --${name} say different things.`, {
      hint: `Give one of the two.`,
    });
  }
  return argument ?? flag;
}
