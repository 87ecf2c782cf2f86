const TIMESTAMP =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,12}))?)?)?\s*(?:(Z)|([+-])(\d\d)(?::?(\d\d))?(?::?(\d\d))?)?$/i;

/** As PostgreSQL and MySQL write a moment in UTC, with no zeros at the end of its fraction. */
const USUAL = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{0,11}[1-9])?(?:\+00)?$/;

/**
 * A timestamp as RFC 3339 in UTC: `2026-03-01T10:00:00.123Z`. One without a time zone is written with
 * `Z` as well, as if it had been meant in UTC: the type of the column tells the two apart. A fraction
 * of a second has no zeros at its end, so that every engine writes equal moments alike. `undefined` for
 * what RFC 3339 cannot say: years before 1 or after 9999, infinity, and text that is no timestamp.
 */
export function rfc3339(text: string): string | undefined {
  if (USUAL.test(text)) {
    const end = text.endsWith('+00') ? text.length - 3 : text.length;
    return `${text.slice(0, 10)}T${text.slice(11, end)}Z`;
  }
  const match = TIMESTAMP.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction] = match;
  const [sign, offsetHours = '0', offsetMinutes = '0', offsetSeconds = '0'] = match.slice(9);
  const digits = fraction?.replace(/0+$/, '') ?? '';
  const tail = digits === '' ? 'Z' : `.${digits}Z`;
  const offset = Number(offsetHours) * 3600 + Number(offsetMinutes) * 60 + Number(offsetSeconds);
  if (offset === 0) return `${year}-${month}-${day}T${hour}:${minute}:${second}${tail}`;
  const local = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  const shifted = new Date(local + (sign === '-' ? offset : -offset) * 1000);
  const shiftedYear = shifted.getUTCFullYear();
  if (!(shiftedYear >= 0 && shiftedYear <= 9999)) return undefined;
  return shifted.toISOString().replace(/\.\d+Z$/, tail);
}
