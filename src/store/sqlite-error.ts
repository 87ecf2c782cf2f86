import { VkitError } from '../errors/index.js';

/** Result codes of sqlite.org/rescode.html; the low byte is the primary one. */
const CONSTRAINT = 19;
const CONSTRAINT_FOREIGN_KEY = 787;
const CONSTRAINT_PRIMARY_KEY = 1555;
const CONSTRAINT_UNIQUE = 2067;
const BUSY = 5;

/** BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB. */
const UNAVAILABLE: ReadonlySet<number> = new Set([BUSY, 6, 7, 8, 9, 10, 11, 13, 14, 26]);

/** What a duplicate means, by the columns SQLite names. */
const DUPLICATES: Readonly<Record<string, string>> = {
  'organisation.only_row': 'There is an organisation already.',
  'users.email': 'There is a user with this e-mail address already.',
  'users.oidc_subject': 'Another account belongs to this person at the identity provider.',
  'bundles.checksum': 'This bundle was uploaded already.',
  'bundles.state': 'Another bundle is active.',
  'datasources.id': 'There is a datasource with this id already.',
  'grants.request_id': 'The request has a grant already.',
  'idempotency.requester_id, idempotency.route, idempotency.key':
    'The idempotency key was used already.',
};

/**
 * What the database threw, as an error of vkit: `conflict` for a duplicate or a missing counterpart, `unavailable` for a
 * disk that is full, broken or locked, `internal` for the rest. `details.duplicate` names the columns of a duplicate. No
 * message of SQLite holds a value.
 */
export function storeError(error: unknown): VkitError {
  if (error instanceof VkitError) return error;
  const code = resultCode(error);
  if (code === CONSTRAINT_UNIQUE || code === CONSTRAINT_PRIMARY_KEY) {
    const duplicate = String((error as Error).message).split('failed: ')[1] ?? '';
    const message = DUPLICATES[duplicate] ?? 'There is one with this id already.';
    return new VkitError('conflict', message, { details: { duplicate }, cause: error });
  }
  if (code === CONSTRAINT_FOREIGN_KEY) {
    const message = 'It belongs to something that does not exist.';
    return new VkitError('conflict', message, { cause: error });
  }
  if (UNAVAILABLE.has(code & 0xff)) {
    return new VkitError('unavailable', "The server's database cannot be used.", {
      hint: 'See that the disk of the data directory is not full, and that the directory is writable.',
      cause: error,
    });
  }
  const what = (code & 0xff) === CONSTRAINT ? 'a row it does not take' : 'a statement it refuses';
  return new VkitError('internal', `The server's database was given ${what}.`, { cause: error });
}

/** Tells whether the database is held by another process. */
export function isBusy(error: unknown): boolean {
  return (resultCode(error) & 0xff) === BUSY;
}

/**
 * The codes of SQLite's own messages (sqlite3_errstr): @photostructure/sqlite 1.2 leaves the code out of what a statement
 * with rows throws.
 */
const CODE_OF_MESSAGE: readonly (readonly [beginning: string, code: number])[] = [
  ['UNIQUE constraint failed', CONSTRAINT_UNIQUE],
  ['FOREIGN KEY constraint failed', CONSTRAINT_FOREIGN_KEY],
  ['database is locked', BUSY],
  ['out of memory', 7],
  ['attempt to write a readonly database', 8],
  ['interrupted', 9],
  ['disk I/O error', 10],
  ['database disk image is malformed', 11],
  ['database or disk is full', 13],
  ['unable to open database file', 14],
  ['file is not a database', 26],
];

function resultCode(error: unknown): number {
  const { errcode, message } = error as { errcode?: unknown; message?: unknown };
  if (typeof errcode === 'number') return errcode;
  const known = CODE_OF_MESSAGE.find(([text]) => String(message).startsWith(text));
  return known?.[1] ?? 0;
}
