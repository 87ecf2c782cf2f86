const SECONDS_OF_UNIT = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** A day count beyond any use, below what loses precision. */
const SECONDS_MAX = 3_650 * SECONDS_OF_UNIT.d;

export type DurationBounds = { secondsMin?: number; secondsMax?: number };

/**
 * Seconds of `30s`, `15m`, `1h`, `2d` or a plain integer of seconds. Throws a `RangeError` whose
 * message says what is allowed for anything else, and outside the bounds (1 s to ten years if absent).
 */
export function parseDuration(text: string | number, bounds: DurationBounds = {}): number {
  const { secondsMin = 1, secondsMax = SECONDS_MAX } = bounds;
  const match = /^(\d{1,12})([smhd]?)$/.exec(String(text).trim());
  if (!match) throw new RangeError('A duration is a whole number with s, m, h or d: 30s, 15m, 1h.');
  const unit = (match[2] || 's') as keyof typeof SECONDS_OF_UNIT;
  const seconds = Number(match[1]) * SECONDS_OF_UNIT[unit];
  if (seconds < secondsMin || seconds > secondsMax) {
    const range = `${formatDuration(secondsMin)} to ${formatDuration(secondsMax)}`;
    throw new RangeError(`The duration must be from ${range}.`);
  }
  return seconds;
}

/** Seconds for people with every unit that is not zero, so that two that differ look different: `1d 4h 30s`. */
export function formatDurationExactly(seconds: number): string {
  return formatDuration(seconds, Object.keys(SECONDS_OF_UNIT).length);
}

/** Seconds for people, the two largest units: `1h 5m`, `2d`, `45s`, `0s`. Fractions are cut. */
export function formatDuration(seconds: number, unitsMax = 2): string {
  let rest = Math.max(0, Math.trunc(seconds));
  const parts: string[] = [];
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const count = Math.trunc(rest / SECONDS_OF_UNIT[unit]);
    rest -= count * SECONDS_OF_UNIT[unit];
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.length === 0 ? '0s' : parts.slice(0, unitsMax).join(' ');
}
