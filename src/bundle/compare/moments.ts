import { evaluate } from '../../policy/evaluate.js';
import type { Policy, TimeCondition } from '../../policy/model.js';
import { compilePolicySet } from '../../policy/policy-set.js';
import { localBundle } from '../local-bundle.js';
import type { Bundle } from '../model.js';
import type { MomentValue } from './model.js';

/**
 * Mondays of the weeks whose moments stand for all: winter, the weeks in which America has daylight saving time and Europe
 * does not yet, and summer. Two windows in different time zones can meet in one of them and not in another.
 */
const WEEKS = ['2026-01-12', '2026-03-16', '2026-07-13'];
const MS_PER_MINUTE = 60_000;
const MS_PER_DAY = 86_400_000;
/** From the day before to the day after the week: what is Monday somewhere is Sunday elsewhere. */
const DAYS = [-1, 0, 1, 2, 3, 4, 5, 6, 7];

/** More windows on one field than anybody can review; they are not compared. */
export const WINDOWS_MAX = 40;

/**
 * Moments such that, whatever the time, one of them has the same of these windows open: the edges of the windows, one for
 * each set of windows that is ever open.
 */
export function momentsOf(windows: readonly TimeCondition[]): readonly MomentValue[] {
  const open = windowsOpen(windows);
  const edges = new Set(windows.flatMap(edgesOf));
  const distinct = new Map<string, MomentValue>();
  for (const at of [...edges].sort((a, b) => a - b)) {
    const indices = open(at);
    const key = indices.join();
    if (distinct.has(key)) continue;
    const within = indices.map((index) => describeWindow(windows[index] as TimeCondition));
    distinct.set(key, { at: new Date(at).toISOString().replace('.000Z', 'Z'), within });
  }
  return [...distinct.values()];
}

/** `09:00–17:00 Europe/Berlin, mon fri` */
export function describeWindow({ after, before, timezone, days }: TimeCondition): string {
  const hours = `${after ?? '00:00'}–${before ?? '24:00'} ${timezone ?? 'UTC'}`;
  return days === undefined ? hours : `${hours}, ${days.join(' ')}`;
}

/** Tells which windows are open at a moment, by deciding a policy for each. */
function windowsOpen(windows: readonly TimeCondition[]): (at: number) => readonly number[] {
  const policies = windows.map((time, index) => ({ ...ALLOW, id: String(index), when: { time } }));
  const set = compilePolicySet(localBundle({ policies, registry: ANYTHING }));
  const requester = { roles: [], clearance: null, region: null, purposes: [] };
  const references = [{ dataset: 'any', field: null }];
  return (at) => {
    const [decided] = evaluate(set, { requester, references, at }).references;
    return (decided?.policyIds ?? []).map(Number).sort((a, b) => a - b);
  };
}

const ALLOW: Policy = { id: '', match: {}, when: {}, action: 'allow', priority: 0 };

const ANYTHING: Bundle['registry'] = {
  datasets: [{ name: 'any', datasource: '', table: { schema: '', name: 'any' }, fields: [] }],
  datasources: [],
};

/** Every moment of the weeks at which a window opens or closes, and midnight, at which days change. */
function edgesOf({ after, before, timezone }: TimeCondition): readonly number[] {
  const minutes = [0, minutesOf(after ?? '00:00'), minutesOf(before ?? '00:00')];
  const offset = offsetsIn(timezone ?? 'UTC');
  return WEEKS.flatMap((monday) =>
    DAYS.flatMap((day) =>
      minutes.map((minute) => {
        const wall = Date.parse(monday) + day * MS_PER_DAY + minute * MS_PER_MINUTE;
        // The offset at about that moment; no time zone changes its own within a day of these weeks' edges.
        return wall - offset(wall);
      }),
    ),
  );
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
}

/** How far the wall clock of a time zone is ahead of UTC, in milliseconds; nothing where the runtime does not know it. */
function offsetsIn(timeZone: string): (at: number) => number {
  let formatter: Intl.DateTimeFormat;
  try {
    formatter = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  } catch {
    // A RangeError is how Intl says that it does not know the zone, and such a window never opens.
    return () => 0;
  }
  return (at) => {
    const name = formatter.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value;
    const [, sign, hours, minutes] = /GMT([+-])(\d\d):(\d\d)/.exec(name ?? '') ?? [];
    const ahead = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * MS_PER_MINUTE;
    return sign === '-' ? -ahead : ahead;
  };
}
