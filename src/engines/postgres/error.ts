import type { VkitError } from '../../errors/index.js';
import { type DriverErrors, errorCode } from '../driver-error.js';
import type { StatementTime } from '../lease.js';

/** Every SQLSTATE in use has a digit, no name of a system error has one. */
const SQLSTATE = /^(?=.*\d)[0-9A-Z]{5}$/;

/** Classes and codes (PostgreSQL's appendix A) after which the connection, or the login, is gone. */
const CONNECTION_STATES = /^(?:08|28|57P0[1-5]|53300|3D000)/;

/** What node-postgres says when the server answers a request for TLS with no. */
const NO_TLS = 'The server does not support SSL connections';

/** Why a client hangs up on a server that wants the password itself. */
export const CLEAR_PASSWORD = 'The server asks for the password in clear.';

/** Sentences of node-postgres, and of vkit's client, that come without a code, and the one that they are given here. */
const CODES_OF_SENTENCES: Readonly<Record<string, string>> = {
  [NO_TLS]: 'TLS_NOT_OFFERED',
  [CLEAR_PASSWORD]: 'PASSWORD_IN_CLEAR',
  'There was an error establishing an SSL connection': 'TLS_NOT_OFFERED',
  'Connection terminated due to connection timeout': 'ETIMEDOUT',
  'timeout exceeded when trying to connect': 'ETIMEDOUT',
  'timeout expired': 'ETIMEDOUT',
  'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string': 'PASSWORD_MISSING',
  'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a non-empty string':
    'PASSWORD_MISSING',
  'Connection terminated unexpectedly': 'ECONNRESET',
};

/** The database's clock and this process's may differ by so much in what they call elapsed. */
const CLOCK_SLACK_MS = 50;

/** The SQLSTATE of an error that the server sent; `undefined` where it never came to an answer. */
export function sqlState(error: unknown): string | undefined {
  const code = errorCode(error);
  return code !== undefined && SQLSTATE.test(code) ? code : undefined;
}

/** Whether the server answered the request for TLS with no. */
export function isTlsRefused(error: unknown): boolean {
  return error instanceof Error && error.message === NO_TLS;
}

export function isConnectionError(error: unknown): boolean {
  const state = sqlState(error);
  return state === undefined || CONNECTION_STATES.test(state);
}

/** The typed error of what a statement threw `elapsedMs` after it was given `budgetMs`. */
export function translateError(
  error: unknown,
  errors: DriverErrors,
  time: StatementTime,
): VkitError {
  if (isConnectionError(error)) return errors.unreachable(coded(error));
  const state = sqlState(error);
  // 57014 is also what an administrator's cancel looks like, before the time is up.
  const isOvertime = state === '57014' && time.elapsedMs >= time.budgetMs - CLOCK_SLACK_MS;
  // lock_not_available, idle_in_transaction_session_timeout
  if (isOvertime || state === '55P03' || state === '25P03') {
    return errors.timeout(time.timeoutMs, error);
  }
  return errors.failed(error);
}

/** The error itself, or one of the same text with a code. */
function coded(error: unknown): unknown {
  if (!(error instanceof Error) || errorCode(error) !== undefined) return error;
  const { message } = error;
  if (!Object.hasOwn(CODES_OF_SENTENCES, message)) return error;
  return Object.assign(new Error(message), { code: CODES_OF_SENTENCES[message] });
}
