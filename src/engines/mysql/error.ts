import type { VkitError } from '../../errors/index.js';
import { type DriverErrors, errorCode } from '../driver-error.js';
import type { StatementTime } from '../lease.js';

/** Server errors after which the connection, or the login, is gone (MySQL's and MariaDB's error references). */
const CONNECTION_ERRORS: readonly number[] = [
  1040, // too many connections
  1044, // no access to the database
  1045, // access denied
  1049, // unknown database
  1053, // the server shuts down
  1077, // as above
  1079,
  1080, // forced close of a thread
  1129, // the host is blocked
  1130, // the host may not connect
  1152, // aborted connection
  1158, // network errors
  1159,
  1160,
  1161,
  1184, // aborted connection
  1203, // too many connections of this user
  1226, // a limit of the user is used up
  1251, // the client lacks the authentication
  1698, // access denied
  1862, // the password has expired
  1927, // the connection was killed
  3032, // the server is offline
  3118, // the account is locked
  3159, // TLS is required
  4031, // idle for too long
  4151, // the account is locked
];

/** Limits on a statement's time, and on how long it waits for a lock. */
const TIMEOUTS: readonly number[] = [1205, 1969, 3024];

const INTERRUPTED = 1317;
/** What was there is not, or not as what it was: a table, a database, what a view reads. */
const GONE: readonly number[] = [1049, 1146, 1347, 1356];

/** Illegal mix of two, three or more collations. */
const COLLATION_MIXES: readonly number[] = [1267, 1270, 1271];

/** The driver's clock and the budget's may differ by so much in what they call elapsed. */
const CLOCK_SLACK_MS = 50;

/** The number of an error that the server sent; `undefined` where it never came to an answer. */
export function errorNumber(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  // A broken connection has an errno of the operating system, but no SQLSTATE.
  const { errno, sqlState } = error as { errno?: unknown; sqlState?: unknown };
  return typeof errno === 'number' && typeof sqlState === 'string' ? errno : undefined;
}

export function isConnectionError(error: unknown): boolean {
  const number = errorNumber(error);
  return number === undefined || CONNECTION_ERRORS.includes(number);
}

/** Whether texts met that the server does not compare: nothing of the statement has run. */
export function isCollationMix(error: unknown): boolean {
  const number = errorNumber(error);
  return number !== undefined && COLLATION_MIXES.includes(number);
}

export function isGone(error: unknown): boolean {
  const number = errorNumber(error);
  return number !== undefined && GONE.includes(number);
}

/** Whether the server answered the request for TLS with no. */
export function isTlsRefused(error: unknown): boolean {
  return errorCode(error) === 'HANDSHAKE_NO_SSL_SUPPORT';
}

/** The typed error of what a statement threw `elapsedMs` after it was given `budgetMs`. */
export function translateError(
  error: unknown,
  errors: DriverErrors,
  time: StatementTime,
): VkitError {
  if (isConnectionError(error)) return errors.unreachable(error);
  const number = errorNumber(error);
  const isOvertime = number === INTERRUPTED && time.elapsedMs >= time.budgetMs - CLOCK_SLACK_MS;
  if (isOvertime || (number !== undefined && TIMEOUTS.includes(number))) {
    return errors.timeout(time.timeoutMs, error);
  }
  return errors.failed(error);
}
