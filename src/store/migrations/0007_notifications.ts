import type { Migration } from './migration.js';

/** Messages that are to be sent: one row for each message and channel, gone once it was delivered. */
export const notifications: Migration = {
  version: 7,
  name: '0007_notifications',
  statements: [
    `create table notifications (
      id text primary key not null,
      channel text not null,
      state text not null,
      notice text not null,
      created_at text not null,
      attempts integer not null,
      next_attempt_at text not null,
      last_error text
    )`,
    'create index notifications_by_channel on notifications (channel, state, next_attempt_at)',
    'create index notifications_by_time on notifications (state, created_at)',
  ],
};
