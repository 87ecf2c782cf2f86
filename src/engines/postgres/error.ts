import type { VkitError } from '../../errors/index.js';
import { type DriverErrors, errorCode } from '../driver-error.js';

/** Every SQLSTATE in use has a digit, no name of a system error has one. */
const SQLSTATE = /^(?=.*\d)[0-9A-Z]{5}$/;

/** Classes and codes (PostgreSQL's appendix A) after which the connection, or the login, is gone. */
const CONNECTION_STATES = /^(?:08|28|57P0[1-5]|53300|3D000)/;

/** The database's clock and this process's may differ by so much in what they call elapsed. */
const CLOCK_SLACK_MS = 50;

/** The SQLSTATE of an error that the server sent; `undefined` where it never came to an answer. */
export function sqlState(error: unknown): string | undefined {
  const code = errorCode(error);
  return code !== undefined && SQLSTATE.test(code) ? code : undefined;
}

export function isConnectionError(error: unknown): boolean {
  const state = sqlState(error);
  return state === undefined || CONNECTION_STATES.test(state);
}

/** The typed error of what a statement threw `elapsedMs` after it was given `budgetMs`. */
export function translateError(
  error: unknown,
  errors: DriverErrors,
  time: { elapsedMs: number; budgetMs: number; timeoutMs: number },
): VkitError {
  if (isConnectionError(error)) return errors.unreachable(error);
  const state = sqlState(error);
  // 57014 is also what an administrator's cancel looks like, before the time is up.
  const isOvertime = state === '57014' && time.elapsedMs >= time.budgetMs - CLOCK_SLACK_MS;
  // lock_not_available, idle_in_transaction_session_timeout
  if (isOvertime || state === '55P03' || state === '25P03') {
    return errors.timeout(time.timeoutMs, error);
  }
  return errors.failed(error);
}
