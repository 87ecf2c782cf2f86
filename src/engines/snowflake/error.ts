import type { VkitError } from '../../errors/index.js';
import { type DriverErrors, errorCode } from '../driver-error.js';
import type { StatementTime } from '../lease.js';

/** Codes of the service about a statement; 39xxxx are about logins and sessions, 4xxxxx are the package's own. */
const STATEMENT_CODE = /^(?!39|4)\d{6}$/;

const CANCELLED = '000604';
/** The statement's time, and its time in the queue of the warehouse. */
const TIMEOUTS: readonly string[] = ['000630', '000631'];

/** The driver's clock and the budget's may differ by so much in what they call elapsed. */
const CLOCK_SLACK_MS = 50;

/** An error of the package as message and code: what else is in one is requests, answers and their headers. */
export function plainError(error: unknown): Error {
  const { message, code, cause } = (
    typeof error === 'object' && error !== null ? error : { message: error }
  ) as { message?: unknown; code?: unknown; cause?: unknown };
  // A connection that did not come about has the system's code (ECONNREFUSED) in its cause.
  const below = errorCode(cause);
  const known = below ?? (code === undefined || code === null ? undefined : String(code));
  const plain = new Error(typeof message === 'string' ? message : 'The driver failed.');
  return known === undefined ? plain : Object.assign(plain, { code: paddedCode(known) });
}

/** `604` and `000604` are the same. */
function paddedCode(code: string): string {
  return /^\d{1,5}$/.test(code) ? code.padStart(6, '0') : code;
}

export function isConnectionError(error: unknown): boolean {
  const code = errorCode(error);
  return code === undefined || !STATEMENT_CODE.test(code);
}

/** The typed error of what a statement threw `elapsedMs` after it was given `budgetMs`. */
export function translateError(
  error: unknown,
  errors: DriverErrors,
  time: StatementTime,
): VkitError {
  if (isConnectionError(error)) return errors.unreachable(error);
  const code = errorCode(error) ?? '';
  // What an administrator cancels looks the same, before the time is up.
  const isOvertime = code === CANCELLED && time.elapsedMs >= time.budgetMs - CLOCK_SLACK_MS;
  if (isOvertime || TIMEOUTS.includes(code)) return errors.timeout(time.timeoutMs, error);
  return errors.failed(error);
}
