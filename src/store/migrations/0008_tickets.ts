import type { Migration } from './migration.js';

/** Tickets with which executors ask for what one fetch needs; the row goes when it is redeemed, or past its time. */
export const tickets: Migration = {
  version: 8,
  name: '0008_tickets',
  statements: [
    `create table tickets (
      id text primary key not null,
      grant_id text not null,
      expires_at text not null
    )`,
  ],
};
