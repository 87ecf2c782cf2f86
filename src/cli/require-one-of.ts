import { VkitError } from '../errors/index.js';
import { oneOf } from './one-of.js';

/** What a command cannot do without, for people: its name, and the command that lists what there is. */
export type Needed = { thing: string; list: string };

/** As `oneOf` for what a command cannot do without: a usage error names it where it is in neither place. */
export function requireOneOf(
  argument: string | undefined,
  flag: string | undefined,
  name: string,
  { thing, list }: Needed,
): string {
  const value = oneOf(argument, flag, name);
  if (value !== undefined && value !== '') return value;
  throw new VkitError('usage', `Which ${thing}? Name it as an argument or with --${name}.`, {
    hint: `See what there is: ${list}`,
    details: { flag: `--${name}` },
  });
}
