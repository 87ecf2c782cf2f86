import type { TimeCondition } from '../../../src/policy/model.js';
import type { Note } from './note.js';
import { decided, type Truth } from './truth.js';
import { wallClock } from './wall-clock.js';

const DAY_MINUTES = 1_440;

/**
 * "A time window whose `after` is later than its `before` spans midnight; daylight saving follows the named time zone."
 * It belongs, "with its early hours, to the day on which it began": so the window of today is asked, and the one that
 * began yesterday. One that says nothing, ends as it begins, or names no zone that there is cannot be decided.
 */
export function timeHolds(condition: TimeCondition, at: number, note: Note): Truth {
  const { after, before, timezone = 'UTC', days } = condition;
  const clock = wallClock(timezone, at);
  const empty = after === undefined && before === undefined && days === undefined;
  if (clock === null || empty || before === (after ?? '00:00')) {
    note('time', 'no such window', 'undecided');
    return 'undecided';
  }
  const begins = minutesOf(after ?? '00:00');
  const written = before === undefined ? DAY_MINUTES : minutesOf(before);
  const ends = written < begins ? written + DAY_MINUTES : written;
  const isOpen = [
    { day: clock.today, minutes: clock.minutes },
    { day: clock.yesterday, minutes: clock.minutes + DAY_MINUTES },
  ].some(
    ({ day, minutes }) =>
      begins <= minutes &&
      minutes < ends &&
      (days === undefined || days.some((one) => one === day)),
  );
  const truth = decided(isOpen);
  note('time', shapeOf(condition), truth);
  if (timezone !== 'UTC') note('zone', timezone, clock.season, truth);
  if (clock.change !== null) note('the clocks change', timezone, clock.change, truth);
  if (clock.minutes < ends - DAY_MINUTES) note('time', 'the early hours of a window', truth);
  return truth;
}

function minutesOf(text: string): number {
  const [hours, minutes] = text.split(':').map(Number);
  return (hours ?? 0) * 60 + (minutes ?? 0);
}

function shapeOf({ after, before, days }: TimeCondition): string {
  const spans = after !== undefined && before !== undefined && before < after;
  const parts = [
    ...(after === undefined ? [] : ['after']),
    ...(before === undefined ? [] : ['before']),
    ...(spans ? ['over midnight'] : []),
    ...(days === undefined ? [] : ['days']),
  ];
  return parts.join(', ');
}
