import type { Mask } from '../../../src/masking/model.js';
import type { Dice } from '../../aql/differential/dice.js';
import { EDGE_VALUES } from '../../aql/differential/edge-values.js';
import { sightOf } from '../../aql/reference/masks.js';

/** Characters that a column holds: the shortest has room for so many, and one kind of text is Latin alone. */
const LENGTH_MAX: Readonly<Record<string, number>> = { char: 5, varchar: 40 };
const MIDDLES = ['', 'b', 'zz', 'qé', 'abc', '0m0', 'Yyyy'];

/** Another text of which the mask shows the same; the same one where there is none. */
export function otherPartial(
  dice: Dice,
  type: string,
  cell: string | null,
  mask: Extract<Mask, { method: 'partial' }>,
): string | null {
  if (cell === null) return null;
  const sight = sightOf({ type, domain: '', tokens: NO_TOKENS }, { state: 'masked', mask });
  const isAlike = (text: string) => sight.show(text) === sight.show(cell);
  const fitting = candidates(type, [...cell], mask).filter(
    (text) => text !== cell && [...text].length <= (LENGTH_MAX[type] ?? 100) && isAlike(text),
  );
  return fitting.length === 0 ? cell : dice.pick(fitting);
}

function candidates(
  type: string,
  characters: readonly string[],
  { prefix, suffix }: { prefix: number; suffix: number },
): string[] {
  if (type === 'enum') return [...(EDGE_VALUES.enum ?? [])];
  const start = characters.slice(0, prefix).join('');
  const end = characters.slice(Math.max(0, characters.length - suffix)).join('');
  // Spaces at the end are not kept everywhere.
  return MIDDLES.flatMap((middle) => [`${start}${middle}${end}`, middle]).filter(
    (text) => text === text.trimEnd(),
  );
}

const NO_TOKENS = { seal: () => '', open: () => undefined, orderSalt: '' };
