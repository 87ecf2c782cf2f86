import { randomInt } from 'node:crypto';
import type { Changes } from '../changes.js';
import { ANY_CHANGE, type Change } from '../store-driver.js';

/**
 * What is in the one row of `changes`: each is a random number that a transaction replaces when it changes something of its
 * sort. Not counters, since a database that lost its last transactions would count to the same number twice.
 */
export interface Marks {
  revision: number;
  accounts: number;
  rights: number;
}

/** How long what this process has seen of others' changes is good for, from the start of the read. */
export const LEASE_MS = 2_000;

export const MAKE_MARKS: readonly string[] = [
  `create table if not exists changes (
    only_row bigint primary key check (only_row = 1),
    revision bigint not null,
    accounts bigint not null,
    rights bigint not null
  )`,
  'insert into changes values (1, 0, 0, 0) on conflict do nothing',
];

/** A standby answers too, with what was: only the primary's word counts. */
export const SELECT_MARKS =
  'select revision, accounts, rights from changes where not pg_is_in_recovery()';

/** Below 2^48, the most that randomInt takes. */
const MARKS_MAX = 2 ** 48 - 1;

/** What this process knows of what all of them have changed. */
export interface ViewOfChanges {
  /** What a read of the primary has shown, which began at this time of the monotonic clock. */
  seen(marks: Marks, startedAt: number): void;
  /** What a transaction of this process writes beside its changes: new marks for what it changed. */
  marksFor(change: Change): Partial<Marks>;
  /** The marks are in the database now. */
  wrote(marks: Partial<Marks>): void;
  /** Whether anything was seen within the last LEASE_MS. */
  isFresh(): boolean;
  /** Told where another process has changed what somebody may do. */
  onRights(listener: () => void): () => void;
}

export function viewOfChanges(changes: Changes, clock: () => number): ViewOfChanges {
  let last: Marks | undefined;
  let freshUntil = Number.NEGATIVE_INFINITY;
  const listeners = new Set<() => void>();
  return {
    seen(marks, startedAt) {
      freshUntil = Math.max(freshUntil, startedAt + LEASE_MS);
      const before = last;
      last = { revision: marks.revision, accounts: marks.accounts, rights: marks.rights };
      if (before?.revision === marks.revision) return;
      const accounts = before?.accounts !== marks.accounts;
      const rights = before?.rights !== marks.rights;
      changes.note({ accounts, rights });
      if (rights) for (const tell of listeners) tell();
    },
    marksFor: ({ accounts, rights }) => ({
      revision: randomInt(MARKS_MAX),
      ...(accounts ? { accounts: randomInt(MARKS_MAX) } : {}),
      ...(rights ? { rights: randomInt(MARKS_MAX) } : {}),
    }),
    wrote(marks) {
      if (last) last = { ...last, ...marks };
    },
    isFresh: () => clock() < freshUntil,
    onRights(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** Both changes together. */
export function mergeChanges(a: Change | null, b: Change): Change {
  if (a === null || b === ANY_CHANGE) return b;
  return { accounts: a.accounts || b.accounts, rights: a.rights || b.rights };
}
