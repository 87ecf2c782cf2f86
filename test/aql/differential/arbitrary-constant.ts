import type { FieldKind } from '../../../src/schema/field-type.js';
import type { Dice } from './dice.js';
import { EDGE_VALUES } from './edge-values.js';

/** The value of a filter, mostly one that rows have; nothing for the tests for NULL. */
export function arbitraryConstant(
  dice: Dice,
  operator: string,
  kind: FieldKind,
  seen: readonly string[],
): { value?: unknown } {
  const others = OTHERS[kind] ?? ['x'];
  const spelled = () => {
    const text = dice.pick(seen.length > 0 && !dice.oneIn(9) ? seen : others);
    return kind === 'text' && dice.oneIn(3) ? dice.pick(NEAR_MISSES)(text) : text;
  };
  const one = () => writeConstant(dice, kind, spelled());
  switch (operator) {
    case 'is_null':
    case 'is_not_null':
      return {};
    case 'like':
    case 'not_like':
      return { value: patternOf(dice, spelled()) };
    case 'in':
    case 'not_in':
      return { value: Array.from({ length: dice.oneIn(10) ? 0 : 1 + dice.upTo(2) }, one) };
    case 'between': {
      const [first, second] = [spelled(), spelled()];
      const isTurned = compareSpelled(kind, first, second) > 0 && !dice.oneIn(6);
      const [low, high] = isTurned ? [second, first] : [first, second];
      return { value: [writeConstant(dice, kind, low), writeConstant(dice, kind, high)] };
    }
    default:
      return { value: one() };
  }
}

/** What a loose comparison takes for the same text. */
const NEAR_MISSES: readonly ((text: string) => string)[] = [
  (text) => `${text} `,
  (text) => text.trimEnd(),
  (text) => text.toUpperCase(),
  (text) => text.toLowerCase(),
  (text) => text.normalize('NFD'),
];

const OTHERS: Partial<Record<FieldKind, readonly string[]>> = {
  boolean: EDGE_VALUES.boolean ?? [],
  integer: [...(EDGE_VALUES.bigint ?? []), '18446744073709551615'],
  numeric: [...(EDGE_VALUES.numeric ?? []), '9'.repeat(65), `-1${'0'.repeat(65)}`, '1e100'],
  float: EDGE_VALUES.double ?? [],
  text: EDGE_VALUES.text ?? [],
  uuid: EDGE_VALUES.uuid ?? [],
  date: EDGE_VALUES.date ?? [],
  time: EDGE_VALUES.time ?? [],
  timestamp: EDGE_VALUES.timestamp ?? [],
  timestamptz: EDGE_VALUES.timestamptz ?? [],
  bytes: EDGE_VALUES.bytes ?? [],
};

/** Near enough to put the lower one first; where it errs, the range is empty. */
function compareSpelled(kind: FieldKind, left: string, right: string): number {
  const isNumber = kind === 'integer' || kind === 'numeric' || kind === 'float';
  if (isNumber) return Number(left) - Number(right);
  return left < right ? -1 : 1;
}

/** One of the ways in which a requester may write the value. */
function writeConstant(dice: Dice, kind: FieldKind, spelled: string): unknown {
  switch (kind) {
    case 'boolean':
      return spelled === 'true';
    case 'integer': {
      const number = Number(spelled);
      return Number.isSafeInteger(number) && !dice.oneIn(3) ? number : spelled;
    }
    case 'numeric': {
      const digits = spelled.replace(/[-.]/g, '').replace(/^0+/, '');
      if (digits.length > 15) return spelled;
      const number = Number(spelled);
      const isWritable = Number.isInteger(number)
        ? Number.isSafeInteger(number)
        : Number.isFinite(number);
      return isWritable && dice.oneIn(2) ? number : spelled;
    }
    case 'float': {
      const isText = Number.isNaN(Number(spelled)) || dice.oneIn(3);
      return isText ? spelled : Number(spelled);
    }
    case 'uuid':
      return dice.oneIn(3) ? spelled.toUpperCase() : spelled;
    case 'time':
      return dice.oneIn(3) ? spelled.replace(/:00$/, '') : spelled;
    case 'timestamp':
      return dice.oneIn(2) ? `${spelled}Z` : spelled.replace('T', dice.oneIn(2) ? ' ' : 'T');
    default:
      return spelled;
  }
}

/** The text with some characters replaced by wildcards, the others escaped where they need to be, or not. */
function patternOf(dice: Dice, text: string): string {
  const parts = [...text].map((character) => {
    const roll = dice.upTo(9);
    if (roll === 9) return '_';
    if (roll === 8) return '%';
    if (roll === 0 && dice.oneIn(2)) return character.toUpperCase();
    const isSpecial = '%_\\'.includes(character);
    if (isSpecial) return character === '\\' || dice.oneIn(2) ? `\\${character}` : character;
    return roll >= 6 ? `\\${character}` : character;
  });
  return `${dice.oneIn(4) ? '%' : ''}${parts.join('')}${dice.oneIn(3) ? '%' : ''}`;
}
