/** An exact decimal number: `units` × 10^-`scale`. */
export interface Decimal {
  units: bigint;
  scale: number;
}

/** Digits of a text that is read as a number; longer ones are no numbers anybody stored as such. */
const CHARACTERS_MAX = 1_000;
const EXPONENT_MAX = 1_000;

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,4}))?$/i;

/** A decimal text, with or without an exponent, as the number it says; `undefined` where it says none. */
export function parseDecimal(text: string): Decimal | undefined {
  if (text.length > CHARACTERS_MAX) return undefined;
  const match = DECIMAL.exec(text.trim());
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  if (whole + fraction === '' || Math.abs(Number(exponent)) > EXPONENT_MAX) return undefined;
  const digits = BigInt(`${whole}${fraction}`);
  const units = sign === '-' ? -digits : digits;
  const scale = fraction.length - Number(exponent);
  return scale >= 0 ? { units, scale } : { units: units * power(-scale), scale: 0 };
}

/** Decimal text without an exponent and without zeros at its end: `12.5`, `-0.001`, `100`, `0`. */
export function formatDecimal({ units, scale }: Decimal): string {
  const negative = units < 0n;
  const digits = (negative ? -units : units).toString().padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, '');
  return `${negative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

export function addDecimals(left: Decimal, right: Decimal): Decimal {
  const scale = Math.max(left.scale, right.scale);
  return { units: unitsAt(left, scale) + unitsAt(right, scale), scale };
}

/** PostgreSQL's least number of significant digits of a quotient, and the digits it keeps together. */
const QUOTIENT_DIGITS_MIN = 16;
const DIGITS_PER_WORD = 4;

/**
 * A sum divided by a count, rounded half away from zero to as many digits as PostgreSQL's `avg` of numerics gives
 * (select_div_scale in its numeric.c).
 */
export function divideDecimal(sum: Decimal, count: bigint): Decimal {
  const left = leadingWord(sum);
  const right = leadingWord({ units: count, scale: 0 });
  const weight = left.weight - right.weight - (left.word <= right.word ? 1 : 0);
  const scale = Math.max(0, sum.scale, QUOTIENT_DIGITS_MIN - weight * DIGITS_PER_WORD);
  const dividend = unitsAt(sum, scale);
  const magnitude = dividend < 0n ? -dividend : dividend;
  const rounded = (magnitude * 2n + count) / (count * 2n);
  return { units: dividend < 0n ? -rounded : rounded, scale };
}

/** The first word that is not zero of a number in base 10,000, and its power of that base. */
function leadingWord({ units, scale }: Decimal): { word: number; weight: number } {
  if (units === 0n) return { word: 0, weight: 0 };
  const digits = (units < 0n ? -units : units).toString();
  // The power of ten of the first digit tells in which word it stands.
  const exponent = digits.length - 1 - scale;
  const weight = Math.floor(exponent / DIGITS_PER_WORD);
  const length = exponent - weight * DIGITS_PER_WORD + 1;
  return { word: Number(digits.slice(0, length).padEnd(length, '0')), weight };
}

function unitsAt({ units, scale }: Decimal, target: number): bigint {
  return units * power(target - scale);
}

function power(exponent: number): bigint {
  return 10n ** BigInt(exponent);
}
