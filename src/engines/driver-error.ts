import { VkitError } from '../errors/index.js';

/**
 * The errors a driver throws about one datasource. Messages name the datasource and what to do, never
 * what the database said: that is in `cause` alone, since it may quote a raw value.
 */
export interface DriverErrors {
  unreachable(cause: unknown): VkitError;
  /** No connection or worker came free: the others of this datasource are all in use. */
  busy(waitedMs: number): VkitError;
  timeout(timeoutMs: number, cause?: unknown): VkitError;
  interrupted(): VkitError;
  /** `difference` names columns, which the requester may not be allowed to know: operator only. */
  schemaChanged(dataset: string, difference: string): VkitError;
  failed(cause: unknown): VkitError;
}

/** `secrets` are cut out of every text that becomes a `cause`. */
export function driverErrors(id: string, secrets: readonly (string | undefined)[]): DriverErrors {
  const known = secrets.filter((secret): secret is string => secret !== undefined && secret !== '');
  const causeOf = (cause: unknown) => plainCause(cause, known);
  return {
    unreachable: (cause) =>
      new VkitError('datasource_unreachable', `The datasource "${id}" cannot be reached.`, {
        hint: `Check its address, its login and its network: vkit datasource test ${id}`,
        cause: causeOf(cause),
      }),
    busy: (waitedMs) =>
      new VkitError(
        'datasource_unreachable',
        `The datasource "${id}" had no free connection within ${waitedMs} ms.`,
        { hint: 'Try again when fewer queries run.' },
      ),
    timeout: (timeoutMs, cause) =>
      new VkitError(
        'query_timeout',
        `The query on the datasource "${id}" took longer than ${timeoutMs} ms.`,
        { hint: 'Read less: add a filter or a limit.', cause: causeOf(cause) },
      ),
    interrupted: () =>
      new VkitError('interrupted', `The query on the datasource "${id}" was cancelled.`),
    schemaChanged: (dataset, difference) =>
      new VkitError(
        'schema_changed',
        `The dataset "${dataset}" is no longer what was reviewed in the datasource "${id}".`,
        {
          hint: `Scan it, review what changed and deploy a new bundle: vkit scan ${id}`,
          cause: new Error(difference),
        },
      ),
    failed: (cause) =>
      new VkitError('datasource_error', `The datasource "${id}" answered with an error.`, {
        hint: 'The log of the operator has its code, the log of the database what it said.',
        cause: causeOf(cause),
      }),
  };
}

/** An error of its own with the message and code of another: no connection object, no secret. */
function plainCause(cause: unknown, secrets: readonly string[]): Error | undefined {
  if (cause === undefined) return undefined;
  const text = cause instanceof Error ? cause.message : String(cause);
  const plain = new Error(secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text));
  const code = errorCode(cause);
  return code === undefined ? plain : Object.assign(plain, { code });
}

/** The `code` of an error: SQLSTATE, errno name. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
