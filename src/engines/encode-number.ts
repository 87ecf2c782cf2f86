/** A double keeps every decimal of this many significant digits; one more may come back changed. */
const SIGNIFICANT_DIGITS_MAX = 15;
/** Inside a double's range with room to spare, where decimals are not subnormal. */
const EXPONENT_MAX = 300;

/** Zeros that an exponent may become. */
const EXPANDED_MAX = 400;

const SMALL_INTEGER = /^(?:0|-?[1-9]\d{0,14})$/;
/** A decimal that is a number as it stands: at most 15 digits, no zeros to leave out, no exponent to be written with. */
const SMALL_DECIMAL = /^-?(?:[1-9]\d{0,13}\.\d*[1-9]|[1-9]\d{0,14}|0\.[1-9](?:\d*[1-9])?)$/;
const SMALL_DECIMAL_CHARACTERS = 16;
const INTEGER = /^[+-]?\d+$/;
const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?$/;

/** JSON of an integer: a number up to ±(2^53 − 1), beyond that its decimal text as a string. */
export function encodeInteger(text: string): string {
  if (SMALL_INTEGER.test(text)) return text;
  if (!INTEGER.test(text)) return encodeDecimal(text);
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  const exact = value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;
  return exact ? value.toString() : `"${value}"`;
}

/**
 * JSON of an exact decimal: a number where it has at most 15 significant digits, else its decimal
 * text as a string. Zeros at the end of the fraction are not significant and are left out. What is
 * no decimal (`NaN`, `Infinity`, foreign text) becomes a string as it is.
 */
export function encodeDecimal(text: string): string {
  if (text.length <= SMALL_DECIMAL_CHARACTERS && SMALL_DECIMAL.test(text)) return text;
  const parts = decimalParts(text);
  if (!parts) return JSON.stringify(text);
  if (fitsNumber(parts)) return String(Number(text));
  // `1e999999` is seven characters and a million zeros.
  if (Math.abs(parts.exponent) > EXPANDED_MAX + text.length) return JSON.stringify(text);
  return `"${plainDecimal(parts)}"`;
}

/** As `encodeDecimal` for a binary float: the string has the shortest text that names the double. */
export function encodeFloat(value: number): string {
  const text = String(value);
  const parts = decimalParts(text);
  return parts && fitsNumber(parts) ? text : `"${text}"`;
}

/** `sign 0.digits × 10^exponent`, the digits without zeros on either side; zero has no digits. */
interface DecimalParts {
  sign: string;
  digits: string;
  exponent: number;
}

function decimalParts(text: string): DecimalParts | undefined {
  const match = DECIMAL.exec(text);
  if (!match) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const all = whole + fraction;
  if (all === '') return undefined;
  const withoutLeading = all.replace(/^0+/, '');
  return {
    sign: sign === '-' ? '-' : '',
    digits: withoutLeading.replace(/0+$/, ''),
    exponent: Number(exponent) + whole.length - (all.length - withoutLeading.length),
  };
}

function fitsNumber({ digits, exponent }: DecimalParts): boolean {
  return digits.length <= SIGNIFICANT_DIGITS_MAX && Math.abs(exponent) <= EXPONENT_MAX;
}

function plainDecimal({ sign, digits, exponent }: DecimalParts): string {
  if (exponent <= 0) return `${sign}0.${'0'.repeat(-exponent)}${digits}`;
  if (exponent >= digits.length) return sign + digits.padEnd(exponent, '0');
  return `${sign}${digits.slice(0, exponent)}.${digits.slice(exponent)}`;
}
