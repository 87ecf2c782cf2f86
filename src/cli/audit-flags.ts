import { string } from '@oclif/core/flags';
import type { AuditOptions } from '../client/vkit-client.js';
import { VkitError } from '../errors/index.js';
import { countFlag } from './flags.js';

/** What narrows a look at the audit log; read with `auditFilterOf`. */
export const auditFilterFlags = {
  user: string({
    description: 'Of this person or agent: an id or an email address.',
    helpValue: 'ID',
  }),
  action: string({ description: 'Of this event, such as query.executed.', helpValue: 'EVENT' }),
  dataset: string({ description: 'About this dataset.', helpValue: 'NAME' }),
  request: string({
    description: 'About this request (req_…).',
    aliases: ['request-id'],
    helpValue: 'ID',
  }),
};

/** The part of the log by time; read with `auditPeriodOf`. */
export const auditPeriodFlags = {
  days: countFlag({
    description: 'Of the last N days.',
    min: 1,
    max: 36_500,
    exclusive: ['start-date'],
  }),
  'start-date': string({
    description: 'From this day or time on, in UTC.',
    helpValue: 'DATE',
  }),
  'end-date': string({
    description: 'Up to this day, the whole of it, or before this time, in UTC.',
    helpValue: 'DATE',
  }),
};

export interface AuditFilterValues {
  user?: string | undefined;
  action?: string | undefined;
  dataset?: string | undefined;
  request?: string | undefined;
}

export interface AuditPeriodValues {
  days?: number | undefined;
  'start-date'?: string | undefined;
  'end-date'?: string | undefined;
}

const DAY_MS = 86_400_000;

export function auditFilterOf({ user, action, dataset, request }: AuditFilterValues): AuditOptions {
  return {
    ...(user === undefined ? {} : { user }),
    ...(action === undefined ? {} : { action }),
    ...(dataset === undefined ? {} : { dataset }),
    ...(request === undefined ? {} : { request }),
  };
}

/** Throws `usage` for a date that is none. */
export function auditPeriodOf(flags: AuditPeriodValues, now: number): AuditOptions {
  const start = flags['start-date'];
  const end = flags['end-date'];
  const since =
    start === undefined
      ? flags.days === undefined
        ? undefined
        : now - flags.days * DAY_MS
      : momentOf(start, '--start-date').time;
  const until = end === undefined ? undefined : endOf(momentOf(end, '--end-date'));
  return {
    ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
    ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
  };
}

interface Moment {
  time: number;
  wholeDay: boolean;
}

function endOf({ time, wholeDay }: Moment): number {
  return wholeDay ? time + DAY_MS : time;
}

/** `2026-03-01`, or RFC 3339; without an offset the time is UTC, whatever this machine's zone. */
function momentOf(text: string, flag: string): Moment {
  const match =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:\d{2})?)?$/i.exec(
      text,
    );
  const time = match
    ? Date.parse(`${match[1]}T${match[2] ?? '00:00'}${match[3] ?? 'Z'}`)
    : Number.NaN;
  // `2026-02-30` parses to a day in March.
  const day = match && Number.isFinite(time) ? new Date(Date.parse(`${match[1]}T00:00Z`)) : null;
  if (!match || day === null || !day.toISOString().startsWith(match[1] ?? '?')) {
    throw new VkitError('usage', `The flag ${flag} does not take this value.`, {
      hint: 'It takes a day or a time in UTC: 2026-03-01, or 2026-03-01T10:00:00Z.',
    });
  }
  return { time, wholeDay: match[2] === undefined };
}
