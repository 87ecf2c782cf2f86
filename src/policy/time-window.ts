import type { TimeCondition } from './model.js';
import { type Truth, truthOf } from './truth.js';

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

const MINUTES_PER_HOUR = 60;
/** The largest time a Date can hold, in milliseconds (ECMA-262, "Time Values and Time Range"). */
const DATE_MS_MAX = 8.64e15;

/** Minutes since midnight of `HH:MM`, 00:00 to 23:59; `null` for anything else. */
export function minutesOfDay(text: string): number | null {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
  return match ? Number(match[1]) * MINUTES_PER_HOUR + Number(match[2]) : null;
}

/** Tells whether the runtime's time zone database knows a zone. */
export function isTimeZone(name: string): boolean {
  return clockOf(name) !== null;
}

/**
 * A daily window on the wall clock of its time zone (UTC if absent), daylight saving included: from `after` to just
 * before `before`. One that spans midnight belongs, with all its hours, to the day on which it began. A window that
 * makes no sense (unknown zone, equal ends, no time) is undecided.
 */
export function compileTimeWindow(condition: TimeCondition): (at: number) => Truth {
  const clock = clockOf(condition.timezone ?? 'UTC');
  const after = condition.after === undefined ? 0 : minutesOfDay(condition.after);
  const before = condition.before === undefined ? null : minutesOfDay(condition.before);
  const silent =
    condition.after === undefined && condition.before === undefined && condition.days === undefined;
  const broken =
    silent ||
    clock === null ||
    after === null ||
    (condition.before !== undefined && (before === null || before === after));
  if (broken) return () => 'undecided';
  const onDay = (day: number) => condition.days === undefined || includesDay(condition.days, day);
  return (at) => {
    if (!Number.isFinite(at) || Math.abs(at) > DATE_MS_MAX) return 'undecided';
    const { minutes, day } = clock(at);
    if (before === null) return truthOf(minutes >= after && onDay(day));
    if (after < before) return truthOf(minutes >= after && minutes < before && onDay(day));
    if (minutes >= after) return truthOf(onDay(day));
    return truthOf(minutes < before && onDay((day + DAYS.length - 1) % DAYS.length));
  };
}

function includesDay(days: readonly string[], day: number): boolean {
  return days.includes(DAYS[day] ?? '');
}

interface WallClock {
  minutes: number;
  /** From 0 for Monday. */
  day: number;
}

/** Making a formatter is slow and one takes memory, so that all windows of a zone share one. */
const clocks = new Map<string, ((at: number) => WallClock) | null>();
/** More than the database has names; a text that is no zone may push others out. */
const CLOCKS_MAX = 1_024;

function clockOf(timeZone: string): ((at: number) => WallClock) | null {
  const known = clocks.get(timeZone);
  if (known !== undefined) return known;
  const made = makeClock(timeZone);
  if (clocks.size >= CLOCKS_MAX) clocks.clear();
  clocks.set(timeZone, made);
  return made;
}

/** A request asks many windows about the same moment; the last answer is kept. */
function makeClock(timeZone: string): ((at: number) => WallClock) | null {
  const formatter = formatterOf(timeZone);
  if (formatter === null) return null;
  let last: { at: number; clock: WallClock } | null = null;
  return (at) => {
    if (last?.at !== at) last = { at, clock: wallClock(formatter, at) };
    return last.clock;
  };
}

function formatterOf(timeZone: string): Intl.DateTimeFormat | null {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
  } catch {
    // A RangeError is how Intl says that it does not know the zone.
    return null;
  }
}

function wallClock(formatter: Intl.DateTimeFormat, at: number): WallClock {
  const parts = new Map(formatter.formatToParts(at).map((part) => [part.type, part.value]));
  const weekday = (parts.get('weekday') ?? '').toLowerCase();
  const minutes = Number(parts.get('hour')) * MINUTES_PER_HOUR + Number(parts.get('minute'));
  return { minutes, day: (DAYS as readonly string[]).indexOf(weekday) };
}
