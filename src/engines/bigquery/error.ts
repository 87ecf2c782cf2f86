import { VkitError } from '../../errors/index.js';
import type { DriverErrors } from '../driver-error.js';
import type { StatementTime } from '../lease.js';

/** What BigQuery says of a job that was ended, whoever ended it (its reference of error messages). */
const ENDED: readonly string[] = ['stopped', 'timeout', 'jobTimeout'];
const TOO_MANY_BYTES = 'bytesBilledLimitExceeded';
const UNAUTHORIZED = 401;
const FORBIDDEN = 403;
const NOT_FOUND = 404;
const CONFLICT = 409;

/** BigQuery's clock and the budget's may differ by so much in what they call elapsed. */
const CLOCK_SLACK_MS = 50;

/** The status of an answer; `undefined` where there was none. */
function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'number' ? error.code : undefined;
}

/** The reasons of an answer, the most telling first. */
function reasonsOf(error: unknown): string[] {
  if (typeof error !== 'object' || error === null || !('errors' in error)) return [];
  const { errors } = error;
  if (!Array.isArray(errors)) return [];
  return errors.flatMap((one: unknown) => {
    if (typeof one !== 'object' || one === null || !('reason' in one)) return [];
    return typeof one.reason === 'string' ? [one.reason] : [];
  });
}

export function isNotFound(error: unknown): boolean {
  return statusOf(error) === NOT_FOUND;
}

/** The job is there already: an attempt to start it was answered by silence, and did start it. */
export function isStartedTwice(error: unknown): boolean {
  return statusOf(error) === CONFLICT;
}

/** Whether no answer came, or one that turns the login away or knows no such place. */
export function isConnectionError(error: unknown): boolean {
  const status = statusOf(error);
  if (status === undefined) return reasonsOf(error).length === 0;
  const isDenied = status === FORBIDDEN && reasonsOf(error).includes('accessDenied');
  return status === UNAUTHORIZED || status === NOT_FOUND || isDenied;
}

/** The typed error of what a call threw `elapsedMs` after it was given `budgetMs`. */
export function translateError(
  id: string,
  error: unknown,
  errors: DriverErrors,
  time: StatementTime,
): VkitError {
  const reasons = reasonsOf(error);
  if (reasons.includes(TOO_MANY_BYTES)) {
    return new VkitError(
      'datasource_error',
      `The query would read more than the datasource "${id}" allows.`,
      {
        hint: 'Read fewer columns, or filter by the partition; the bound is maximum_bytes_billed.',
      },
    );
  }
  if (isConnectionError(error)) return errors.unreachable(error);
  const isOvertime = time.elapsedMs >= time.budgetMs - CLOCK_SLACK_MS;
  if (isOvertime && reasons.some((reason) => ENDED.includes(reason))) {
    return errors.timeout(time.timeoutMs, error);
  }
  return errors.failed(error);
}
