/** An exact decimal number: `units` × 10^-`scale`. */
export interface Decimal {
  units: bigint;
  scale: number;
}

/** Reads decimal text, with an exponent or without. */
export function decimalOf(text: string): Decimal {
  const match = /^(-?)(\d+)(?:\.(\d*))?(?:e([+-]?\d+))?$/i.exec(text);
  if (match === null) throw new Error(`no decimal: ${text}`);
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const digits = BigInt(whole + fraction);
  const units = sign === '-' ? -digits : digits;
  const scale = fraction.length - Number(exponent);
  return scale >= 0 ? { units, scale } : { units: units * 10n ** BigInt(-scale), scale: 0 };
}

/** The canonical text: no exponent, no zeros at the end of the fraction, no sign before zero. */
export function decimalText({ units, scale }: Decimal): string {
  if (units < 0n) return `-${decimalText({ units: -units, scale })}`;
  if (scale > 0 && units % 10n === 0n) return decimalText({ units: units / 10n, scale: scale - 1 });
  const digits = String(units).padStart(scale + 1, '0');
  return scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

export function addDecimals(left: Decimal, right: Decimal): Decimal {
  const scale = Math.max(left.scale, right.scale);
  return { units: unitsAt(left, scale) + unitsAt(right, scale), scale };
}

/** Negative, zero or positive, as the left is less, equal or greater. */
export function compareDecimals(left: Decimal, right: Decimal): number {
  const scale = Math.max(left.scale, right.scale);
  const [one, other] = [unitsAt(left, scale), unitsAt(right, scale)];
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function unitsAt({ units, scale }: Decimal, wanted: number): bigint {
  return units * 10n ** BigInt(wanted - scale);
}

/**
 * The sum by the count, to as many digits as PostgreSQL gives an average: it counts in digits of base 10,000, keeps 16
 * decimal digits or more, and at least those of the sum (`select_div_scale` in its numeric.c).
 */
export function averageOf(sum: Decimal, count: number): Decimal {
  const dividend = myriads(sum);
  const divisor = myriads({ units: BigInt(count), scale: 0 });
  const weight = dividend.weight - divisor.weight - (dividend.first <= divisor.first ? 1 : 0);
  const scale = Math.max(16 - weight * 4, sum.scale, 0);
  return { units: dividedHalfAwayFromZero(unitsAt(sum, scale), BigInt(count)), scale };
}

function dividedHalfAwayFromZero(dividend: bigint, divisor: bigint): bigint {
  if (dividend < 0n) return -dividedHalfAwayFromZero(-dividend, divisor);
  const quotient = dividend / divisor;
  return (dividend % divisor) * 2n >= divisor ? quotient + 1n : quotient;
}

/** The first digit in base 10,000 that is not zero, and the power of 10,000 it counts. */
function myriads(decimal: Decimal): { first: number; weight: number } {
  const [whole = '', fraction = ''] = decimalText(decimal).replace('-', '').split('.');
  const left = whole.padStart(Math.ceil(whole.length / 4) * 4, '0').match(/.{4}/g) ?? [];
  const right = fraction.padEnd(Math.ceil(fraction.length / 4) * 4, '0').match(/.{4}/g) ?? [];
  const digits = [...left, ...right].map(Number);
  const at = digits.findIndex((digit) => digit !== 0);
  return at < 0
    ? { first: 0, weight: 0 }
    : { first: digits[at] ?? 0, weight: left.length - 1 - at };
}
