const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const TIME = /^(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?$/;
const TIMESTAMP = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2}(?:\.\d+)?)(Z|z|[+-]\d{2}:\d{2})?$/;

const MINUTE_MS = 60_000;

/** A real calendar date of the years 0001 to 9999, as `YYYY-MM-DD`; `undefined` for anything else. */
export function parseDate(text: string): string | undefined {
  const match = DATE.exec(text);
  if (match === null) return undefined;
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number];
  if (year < 1) return undefined;
  // A day that the month does not have rolls over into another.
  const date = dateAt(year, month, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? text : undefined;
}

/** A time of day as `HH:MM:SS`, with its fraction of up to six digits where it has one. */
export function parseTime(text: string): string | undefined {
  const match = TIME.exec(text);
  if (match === null) return undefined;
  const [, hour = '', minute = '', second = '00', fraction = ''] = match;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const digits = fraction.replace(/0+$/, '');
  return `${hour}:${minute}:${second}${digits === '' ? '' : `.${digits}`}`;
}

/**
 * A timestamp (RFC 3339, microseconds at most) in UTC: `2026-03-01T09:30:00Z`. Without `offsetNeeded` the offset may be
 * missing, which then means UTC, and the result has no `Z`: it is for columns without a time zone.
 */
export function parseTimestamp(text: string, offsetNeeded: boolean): string | undefined {
  const match = TIMESTAMP.exec(text);
  const date = parseDate(match?.[1] ?? '');
  const time = parseTime(match?.[2] ?? '');
  const offset = match?.[3];
  if (date === undefined || time === undefined) return undefined;
  if (offset === undefined && offsetNeeded) return undefined;
  const minutes = offsetMinutes(offset ?? 'Z');
  if (minutes === undefined) return undefined;
  const [year, month, day] = date.split('-').map(Number) as [number, number, number];
  const [hour, minute] = time.split(':').map(Number) as [number, number];
  const moment = dateAt(year, month, day).getTime() + (hour * 60 + minute - minutes) * MINUTE_MS;
  const utc = new Date(moment).toISOString();
  const utcYear = new Date(moment).getUTCFullYear();
  if (utcYear < 1 || utcYear > 9999) return undefined;
  return `${utc.slice(0, 17)}${time.slice(6)}${offsetNeeded ? 'Z' : ''}`;
}

function offsetMinutes(offset: string): number | undefined {
  if (offset === 'Z' || offset === 'z') return 0;
  const hours = Number(offset.slice(1, 3));
  const minutes = Number(offset.slice(4, 6));
  if (hours > 23 || minutes > 59) return undefined;
  return (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

/** Midnight UTC; Date.UTC would take the years 0 to 99 for 1900 to 1999. */
function dateAt(year: number, month: number, day: number): Date {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date;
}
