import type { FieldVisibility } from '../../../src/aql/visibility.js';
import type { Mask } from '../../../src/masking/model.js';
import type { Dice } from '../../aql/differential/dice.js';
import { kindOf } from '../../aql/reference/value.js';

/** What two twins may differ in of one field. */
export type Difference =
  | { of: 'nothing' | 'everything' }
  /** Whatever this mask does not show. */
  | { of: 'partial'; mask: Extract<Mask, { method: 'partial' }> }
  /** The names of the values: what is equal in one is equal in the other. */
  | { of: 'hash' | 'token' };

const HASHED = ['text', 'integer', 'numeric'];
const TOKENIZED = [...HASHED, 'uuid', 'date'];

/** Chooses a difference that the field's type can have, and a mask can hide. */
export function arbitraryDifference(dice: Dice, type: string): Difference {
  const kind = kindOf(type);
  // Of the labels of an enum none has another name.
  const isRenamed = type !== 'enum';
  const choices: Difference['of'][] = ['nothing', 'nothing', 'everything', 'everything'];
  // It hides something of texts alone, and of short ones little.
  if (kind === 'text') choices.push('partial', 'partial', 'partial', 'partial');
  if (isRenamed && HASHED.includes(kind)) choices.push('hash', 'hash');
  if (isRenamed && TOKENIZED.includes(kind)) choices.push('token', 'token');
  const of = dice.pick(choices);
  return of === 'partial' ? { of, mask: arbitraryPartial(dice) } : { of };
}

function arbitraryPartial(dice: Dice): Extract<Mask, { method: 'partial' }> {
  const prefix = dice.pick([1, 0, 2, 3]);
  const suffix = dice.pick([0, 0, 1, 2]);
  const minLength = dice.pick([2 * (prefix + suffix), 4, 1, 0]);
  return { method: 'partial', prefix, suffix, minLength };
}

const RAW: FieldVisibility = { state: 'raw' };
const masked = (mask: Mask): FieldVisibility => ({ state: 'masked', mask });
/** They hide everything, on every type. */
const CLOSED: readonly FieldVisibility[] = [
  masked({ method: 'full' }),
  masked({ method: 'nullify' }),
  { state: 'hidden' },
];
const PARTIAL: Mask = { method: 'partial', prefix: 2, suffix: 1, minLength: 3 };

/**
 * How a field of such a difference may be seen: what hides the difference. What is readable as it is in one field may be
 * behind no hash in another, with which it could be compared under the one name and not under the other.
 */
export function waysToSee(difference: Difference, type: string): FieldVisibility[] {
  const often = (seen: FieldVisibility, times: number) => Array.from({ length: times }, () => seen);
  switch (difference.of) {
    case 'nothing':
      return [...often(RAW, 9), ...CLOSED];
    case 'everything':
      return [...CLOSED, ...CLOSED, ...fullInstead(type)];
    case 'partial':
      return [...often(masked(difference.mask), 6), ...CLOSED];
    case 'hash':
      return [...often(masked({ method: 'hash' }), 6), ...CLOSED];
    case 'token':
      return [...often(masked({ method: 'tokenize' }), 6), ...CLOSED];
  }
}

/** The masks that are `full` on the type. */
export function fullInstead(type: string): FieldVisibility[] {
  const kind = kindOf(type);
  return [
    ...(kind === 'text' ? [] : [masked(PARTIAL)]),
    ...(HASHED.includes(kind) ? [] : [masked({ method: 'hash' })]),
    ...(TOKENIZED.includes(kind) ? [] : [masked({ method: 'tokenize' })]),
  ];
}
