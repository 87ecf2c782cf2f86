import { nearest } from '../util/levenshtein.js';
import { type DraftFile, type Finding, placeOf } from './finding.js';

/** A name that a policy writes, and the value's pointer in its file, or several where it may stand in any of them. */
export interface Named {
  name: string;
  pointer: string | readonly string[];
}

/** The finding on a name that exists nowhere, with the nearest that does; `mild` makes it a warning. */
export function unknownName(
  { policy, file, position }: DraftFile,
  { name, pointer }: Named,
  what: string,
  known: readonly string[],
  mild: boolean,
): Finding {
  const near = nearest(name, known);
  const subject = policy.id === undefined ? 'The policy' : `The policy ${policy.id}`;
  return {
    severity: mild ? 'warning' : 'error',
    file,
    ...placeOf(position, [pointer].flat()),
    code: `unknown_${what}`,
    message: `${subject} names the ${what} \`${name}\`, which exists nowhere.`,
    ...(near !== undefined && { suggestion: `Did you mean ${near}?` }),
  };
}
