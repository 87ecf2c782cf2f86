import { kindOf } from '../reference/value.js';
import type { EngineProfile } from './engine-profile.js';
import { MISTAKES } from './mistakes.js';

export const MASKS_OF_CELLS = ['raw', 'nullify', 'full', 'tokenize', 'hash', 'partial'];
export const OPERATORS = [
  'eq',
  'neq',
  'gt',
  'lt',
  'gte',
  'lte',
  'like',
  'not_like',
  'in',
  'not_in',
  'between',
  'is_null',
  'is_not_null',
];
export const FUNCTIONS = ['count', 'count_distinct', 'sum', 'avg', 'min', 'max'];
const TRUTHS = ['true', 'false', 'unknown'];

/** A cell that a case is made for: its clause, and where it has them an operator, the field's kind and mask. */
export type Target = readonly string[];

/** The cells that cases are made for one by one. */
export function targetsOf(profile: EngineProfile): Target[] {
  const kinds = kindsOf(profile);
  return [
    ...product(['columns'], kinds, MASKS_OF_CELLS),
    ...product(['filter'], OPERATORS, kinds, MASKS_OF_CELLS),
    ...product(['join'], ['INNER', 'LEFT', 'RIGHT', 'FULL'], kinds, MASKS_OF_CELLS),
    ...product(['aggregate'], FUNCTIONS, kinds, MASKS_OF_CELLS),
    ...product(['group_by', 'grouped columns'], kinds, MASKS_OF_CELLS),
    ...product(['order_by'], kinds, MASKS_OF_CELLS),
    ...product(['having'], OPERATORS, FUNCTIONS),
    ...product(['order_by'], ['aggregate'], FUNCTIONS),
    ...product(['refused'], Object.keys(MISTAKES)),
  ];
}

/** Of so many cases one is about anything, and may have a mistake in it. */
const FREE_OF = 5;

/** What the case of a number is made for, each target in its turn. */
export function targetOf(at: number, targets: readonly Target[]): Target | undefined {
  if (at % FREE_OF === FREE_OF - 1) return undefined;
  return targets[(at - Math.floor(at / FREE_OF)) % targets.length];
}

/** The number of cases after which each target has had its turn. */
export function turnsOf(targets: readonly Target[]): number {
  return Math.ceil((targets.length * FREE_OF) / (FREE_OF - 1)) + FREE_OF;
}

/** All cells that the cases must reach. */
export function cellsOf(profile: EngineProfile): string[] {
  const types = profile.limits.joinTypes;
  const others = [
    ...product(['order_by'], ['ASC', 'DESC'], ['nulls first', 'nulls last', 'nulls not said']),
    ...product(['join pairs'], ['INNER', 'LEFT', 'RIGHT', 'FULL'], ['one', 'several']),
    ['aggregate', 'count(*)'],
    ...product(
      ['order'],
      ['asked for', 'not asked for'],
      ['guarded', 'all raw'],
      ['of rows', 'of all', 'of groups'],
    ),
    ...product(['rows'], ['limit', 'no limit'], ['offset', 'no offset']),
    ...product(['logic'], ['AND', 'OR', 'NOT'], TRUTHS),
    ...product(['truth'], OPERATORS, TRUTHS).filter(
      ([, operator, truth]) => truth !== 'unknown' || !operator?.startsWith('is_'),
    ),
    ...product(['answer'], ['rows', 'no rows']),
    ['refused', 'unsupported_on_masked'],
    ...(types.length < 4 ? [['refused', 'unsupported_join']] : []),
  ];
  return [...new Set([...targetsOf(profile), ...others].map((cell) => cell.join(' / ')))];
}

function kindsOf(profile: EngineProfile): string[] {
  return [...new Set(Object.keys(profile.types).map(kindOf))];
}

function product(...axes: readonly (readonly string[])[]): string[][] {
  return axes.reduce<string[][]>(
    (all, axis) => all.flatMap((start) => axis.map((end) => [...start, end])),
    [[]],
  );
}
