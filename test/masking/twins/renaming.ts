import { createHash } from 'node:crypto';
import type { Dice } from '../../aql/differential/dice.js';
import { TEST_TOKENS } from '../../aql/differential/real-answer.js';

/** Another name for each value, by its text. */
export type Renaming = Readonly<Record<string, string>>;

const BLOCK_BYTES = 16;
/** The hash of a name begins like that of the value: a range or a pattern that ends there tells them alike. */
const LEADING_DIGITS = 2;
const CANDIDATES_MAX = 200_000;

export const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');
/** What rows with tokens are ordered by, where nothing else is. */
export const saltedHash = (text: string) => sha256(`${TEST_TOKENS.orderSalt}${text}`);

/**
 * A bijection that keeps what a hash or a token shows: the kind of text, its length in blocks, and, for a test that can be
 * exact, the order of the values' hashes. The order of the values themselves is another.
 */
export function renamingOf(
  dice: Dice,
  texts: readonly string[],
  hash: (text: string) => string,
): Renaming {
  const sorted = [...new Set(texts)].sort((left, right) => (hash(left) < hash(right) ? -1 : 1));
  const random = randomOf(dice);
  const taken = new Set<string>(sorted);
  const renaming: Record<string, string> = {};
  let before = '';
  for (const text of sorted) {
    const start = hash(text).slice(0, LEADING_DIGITS);
    const isFit = (candidate: string) => {
      if (taken.has(candidate) || blocksOf(candidate) !== blocksOf(text)) return false;
      const hashed = hash(candidate);
      return hashed.startsWith(start) && hashed > before;
    };
    const found = firstFitting(() => candidateFor(text, random), isFit);
    renaming[text] = found;
    taken.add(found);
    before = hash(found);
  }
  return renaming;
}

function firstFitting(next: () => string, isFit: (candidate: string) => boolean): string {
  for (let tries = 0; tries < CANDIDATES_MAX; tries += 1) {
    const candidate = next();
    if (isFit(candidate)) return candidate;
  }
  throw new Error('no name was found for a value');
}

const blocksOf = (text: string) => Math.floor(Buffer.byteLength(text) / BLOCK_BYTES) + 1;

/** Many numbers from few throws: a linear congruential generator with Knuth's constants. */
function randomOf(dice: Dice): (below: number) => number {
  let state = BigInt(dice.upTo(2 ** 30));
  return (below) => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    return Number((state >> 33n) % BigInt(below));
  };
}

const WHOLE = /^-?\d+$/;
const DECIMAL = /^-?\d+\.\d+$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const DATE = /^\d{4}-\d\d-\d\d$/;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** A text that whatever column holds the first one holds, too. */
function candidateFor(text: string, random: (below: number) => number): string {
  if (WHOLE.test(text)) return wholeFor(BigInt(text), text, random);
  if (DECIMAL.test(text)) return text.length < BLOCK_BYTES ? decimal(random) : shaped(text, random);
  if (UUID.test(text)) return text.replace(/[0-9a-f]/g, () => random(16).toString(16));
  if (DATE.test(text)) {
    return new Date(Date.UTC(1900 + random(200), random(12), 1 + random(28)))
      .toISOString()
      .slice(0, 10);
  }
  const letters = Array.from({ length: 5 }, () => LETTERS[random(LETTERS.length)] ?? '').join('');
  return letters + 'z'.repeat(BLOCK_BYTES * (blocksOf(text) - 1));
}

/** The bits of SMALLINT, INTEGER and BIGINT, without the sign. */
const WIDTHS = [15n, 31n, 63n];

function wholeFor(value: bigint, text: string, random: (below: number) => number): string {
  const isWithin = (bits: bigint) => value >= -(2n ** bits) && value < 2n ** bits;
  const bits = WIDTHS.find(isWithin);
  if (bits === undefined) return shaped(text, random);
  const any = [0, 1, 2].reduce((sum) => (sum << 31n) + BigInt(random(2 ** 31)), 0n);
  return String(BigInt.asIntN(Number(bits) + 1, any));
}

function decimal(random: (below: number) => number): string {
  return `${random(2) === 0 ? '' : '-'}${1 + random(9_999)}.${random(1_000)}${1 + random(9)}`;
}

/** SQLite keeps no more digits of a decimal that it has no integer for. */
const DIGITS_KEPT = 14;

/** Other digits in the same places: the last of a small fraction, the first of a large number, or all. */
function shaped(text: string, random: (below: number) => number): string {
  const digit = (least: number) => String(least + random(10 - least));
  const digits = (count: number) => Array.from({ length: count - 2 }, () => digit(0)).join('');
  const some = `${digit(1)}${digits(DIGITS_KEPT)}${digit(1)}`;
  const sign = text.startsWith('-') ? '-' : '';
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  if (fraction === '') return `${sign}${some.padEnd(whole.length, '0')}`;
  if (whole === '0') return `${sign}0.${some.padStart(fraction.length, '0')}`;
  return `${sign}${digit(1)}${digits(whole.length + 1)}.${digits(fraction.length + 1)}${digit(1)}`;
}
