const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;
const DAY_MS = DAY_MINUTES * MINUTE_MS;
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
/** 1970-01-01 was a Thursday. */
const FIRST_DAY = DAYS.indexOf('thu');

/** Minutes east of UTC, and the law by which the clocks change, as its country wrote it. */
interface Zone {
  standard: number;
  summer?: { minutes: number; begins: (year: number) => number; ends: (year: number) => number };
}

/**
 * The zones that generated policies name, by hand from the laws in force since 2008, so that nothing here rests on the
 * time zone database that the engine asks.
 */
const ZONES: Readonly<Record<string, Zone>> = {
  UTC: { standard: 0 },
  'Asia/Kolkata': { standard: 330 },
  'Asia/Tokyo': { standard: 540 },
  'Pacific/Kiritimati': { standard: 840 },
  'Europe/Berlin': {
    standard: 60,
    summer: {
      minutes: 120,
      begins: (year) => lastSunday(year, 2) + 60 * MINUTE_MS,
      ends: (year) => lastSunday(year, 9) + 60 * MINUTE_MS,
    },
  },
  'America/New_York': {
    standard: -300,
    summer: {
      minutes: -240,
      begins: (year) => sunday(2, year, 2) + (120 + 300) * MINUTE_MS,
      ends: (year) => sunday(1, year, 10) + (120 + 240) * MINUTE_MS,
    },
  },
  // Half an hour, in the southern summer.
  'Australia/Lord_Howe': {
    standard: 630,
    summer: {
      minutes: 660,
      begins: (year) => sunday(1, year, 9) + (120 - 630) * MINUTE_MS,
      ends: (year) => sunday(1, year, 3) + (120 - 660) * MINUTE_MS,
    },
  },
};

export interface WallClock {
  /** Since midnight. */
  minutes: number;
  today: string;
  yesterday: string;
  season: 'summer' | 'winter' | 'always the same';
  /** Whether the clocks change, or changed, within the hour. */
  change: 'just before' | 'just after' | null;
}

/** What the clock on the wall shows in a zone; `null` where there is no such zone. */
export function wallClock(timezone: string, at: number): WallClock | null {
  const zone = Object.hasOwn(ZONES, timezone) ? ZONES[timezone] : undefined;
  if (zone === undefined) return null;
  const season = seasonOf(zone, at);
  const offset = season === 'summer' && zone.summer ? zone.summer.minutes : zone.standard;
  const local = at + offset * MINUTE_MS;
  const day = Math.floor(local / DAY_MS);
  return {
    minutes: Math.floor((local - day * DAY_MS) / MINUTE_MS),
    today: nameOfDay(day),
    yesterday: nameOfDay(day - 1),
    season,
    change: changeAt(timezone, at),
  };
}

/** The moments at which the clocks of a zone change in a year. */
export function changesOfClocks(timezone: string, year: number): readonly number[] {
  const summer = ZONES[timezone]?.summer;
  return summer ? [summer.begins(year), summer.ends(year)] : [];
}

function changeAt(timezone: string, at: number): WallClock['change'] {
  const changes = changesOfClocks(timezone, new Date(at).getUTCFullYear());
  const near = changes.find((change) => Math.abs(change - at) <= 60 * MINUTE_MS);
  if (near === undefined) return null;
  return at < near ? 'just before' : 'just after';
}

function seasonOf({ summer }: Zone, at: number): WallClock['season'] {
  if (!summer) return 'always the same';
  const year = new Date(at).getUTCFullYear();
  const [begins, ends] = [summer.begins(year), summer.ends(year)];
  const north = begins < ends;
  const isSummer = north ? begins <= at && at < ends : begins <= at || at < ends;
  return isSummer ? 'summer' : 'winter';
}

/** Midnight, as if in UTC, of the n-th Sunday of a month (0 is January). */
function sunday(nth: number, year: number, month: number): number {
  const first = Date.UTC(year, month, 1);
  const untilSunday = (7 - new Date(first).getUTCDay()) % 7;
  return first + (untilSunday + 7 * (nth - 1)) * DAY_MS;
}

function lastSunday(year: number, month: number): number {
  const last = Date.UTC(year, month + 1, 0);
  return last - new Date(last).getUTCDay() * DAY_MS;
}

function nameOfDay(day: number): string {
  return DAYS[(((day + FIRST_DAY) % 7) + 7) % 7] ?? '';
}
