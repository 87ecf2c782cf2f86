import type { Expr } from '../aql/expression.js';
import { VkitError } from '../errors/index.js';
import type { AppliedMask, MaskedColumn } from './definition.js';
import { full } from './full.js';
import type { Mask } from './model.js';

/** What stands for the characters that `partial` hides, and for a whole text that is too short. */
export const PARTIAL_TEXT = '****';

/** More than any text worth masking in part shows. */
const CHARACTERS_MAX = 1_000;

/**
 * Leading and trailing characters (Unicode code points) of a text, `****` between or after them, and `****` alone for a
 * text shorter than `minLength`. NULL stays NULL. Types other than text get `full`.
 */
export function partial({ column, kind }: MaskedColumn, mask: Mask): AppliedMask {
  if (kind !== 'text' || mask.method !== 'partial') return full();
  const { prefix, suffix, minLength } = mask;
  for (const count of [prefix, suffix, minLength]) {
    const valid = Number.isInteger(count) && count >= 0 && count <= CHARACTERS_MAX;
    if (!valid) throw new VkitError('internal', 'A partial mask has options outside their range.');
  }
  const hidden: Expr = { node: 'text', value: PARTIAL_TEXT };
  const shown: Expr[] = [
    ...(prefix > 0 ? [part('left', column, prefix)] : []),
    hidden,
    ...(suffix > 0 ? [part('right', column, suffix)] : []),
  ];
  const isNull: Expr = { node: 'is_null', operand: column, negated: false };
  const length: Expr = { node: 'call', fn: 'char_length', args: [column] };
  const isLong: Expr = {
    node: 'compare',
    op: 'gte',
    kind: 'integer',
    left: length,
    right: { node: 'integer', value: minLength },
  };
  const expr: Expr = {
    node: 'case',
    branches: [
      { when: isNull, result: { node: 'null', type: 'text' } },
      { when: isLong, result: { node: 'call', fn: 'concat', args: shown } },
    ],
    otherwise: hidden,
  };
  return { expr, kind: 'text', type: 'text', method: 'partial' };
}

function part(fn: 'left' | 'right', column: Expr, count: number): Expr {
  return { node: 'call', fn, args: [column, { node: 'integer', value: count }] };
}
