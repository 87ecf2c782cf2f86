import { ERROR_CODES, type ErrorCodeName } from './codes.js';
import type { Problem } from './problem.js';

/** Facts for programs, copied into the error document as they are; never a secret or a row's value. */
export type ErrorDetails = { problems?: readonly Problem[] } & Record<string, unknown>;

export type VkitErrorOptions = {
  /** One sentence on what to do, with a command to paste where there is one. */
  hint?: string;
  details?: ErrorDetails;
  /** The id under which the server's log and audit know this failure. */
  correlationId?: string;
  /** The policy that said no, for `policy_denied`. */
  policyId?: string;
  /** What was caught; printed only with VKIT_DEBUG, never sent to a client. */
  cause?: unknown;
};

/**
 * The only error that vkit throws on purpose. `message` is one sentence on what is wrong with which
 * thing; the exit code and the HTTP status come from the row of `code`.
 */
export class VkitError extends Error {
  override readonly name = 'VkitError';
  readonly code: ErrorCodeName;
  readonly hint?: string;
  readonly details?: ErrorDetails;
  readonly correlationId?: string;
  readonly policyId?: string;

  constructor(code: ErrorCodeName, message: string, options: VkitErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    if (options.hint !== undefined) this.hint = options.hint;
    if (options.details !== undefined) this.details = options.details;
    if (options.correlationId !== undefined) this.correlationId = options.correlationId;
    if (options.policyId !== undefined) this.policyId = options.policyId;
  }

  /** The exit code of a command that ends with this error. */
  get exitCode(): number {
    return ERROR_CODES[this.code].exit;
  }

  /** The HTTP status of an answer that ends with this error. */
  get httpStatus(): number {
    return ERROR_CODES[this.code].http;
  }
}
