import { VkitError } from '../errors/index.js';
import { oneOf } from './one-of.js';

/** As `oneOf` for what a command cannot do without: a usage error names the flag where it is in neither place. */
export function requireOneOf(
  argument: string | undefined,
  flag: string | undefined,
  name: string,
): string {
  const value = oneOf(argument, flag, name);
  if (value !== undefined && value !== '') return value;
  throw new VkitError('usage', `--${name} is missing.`, {
    hint: `Give it as an argument or with --${name}.`,
    details: { flag: `--${name}` },
  });
}
