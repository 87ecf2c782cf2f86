/** What one error code means at both edges: the command line's exit code and the HTTP status. */
export type ErrorCode = {
  /** The exit code of a command that ends with this error (cli.md, "Exit codes"). */
  readonly exit: 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 130;
  /** The HTTP status of an answer with this `type` (api.md). */
  readonly http: number;
  /** A few words for people; the sentence about the case at hand is the error's message. */
  readonly title: string;
};

/**
 * Every error code there is, sorted by name. An error that is not here cannot be thrown, and each
 * row has a heading in docs/errors.md; a test compares the two.
 */
export const ERROR_CODES = {
  address_refused: { exit: 7, http: 502, title: 'Address not allowed' },
  already_decided: { exit: 8, http: 409, title: 'Already decided' },
  approval_denied: { exit: 3, http: 200, title: 'An approver said no' },
  attribute_not_held: { exit: 6, http: 403, title: 'Attribute not held' },
  audit_broken: { exit: 3, http: 500, title: 'The audit log does not verify' },
  audit_unavailable: { exit: 7, http: 503, title: 'The audit log cannot be written' },
  bundle_checksum: { exit: 2, http: 400, title: 'Bundle checksum does not match' },
  bundle_dirty: { exit: 2, http: 400, title: 'Bundle built from uncommitted changes' },
  bundle_expired: { exit: 2, http: 400, title: 'Bundle expired' },
  bundle_invalid: { exit: 2, http: 400, title: 'Bundle invalid' },
  bundle_org: { exit: 2, http: 400, title: 'Bundle of another organisation' },
  bundle_revoked: { exit: 3, http: 410, title: 'Bundle revoked' },
  bundle_signature: { exit: 3, http: 400, title: 'Bundle signature does not verify' },
  bundle_superseded: { exit: 3, http: 410, title: 'Bundle no longer active' },
  cancelled: { exit: 3, http: 200, title: 'Request cancelled' },
  config_invalid: { exit: 2, http: 400, title: 'Configuration invalid' },
  conflict: { exit: 8, http: 409, title: 'Conflict' },
  datasource_error: { exit: 7, http: 502, title: 'The datasource answered with an error' },
  datasource_unreachable: { exit: 7, http: 502, title: 'Datasource unreachable' },
  dependency_missing: { exit: 2, http: 500, title: 'A package or program is not installed' },
  drift: { exit: 5, http: 409, title: 'Drift found' },
  drift_unknown: { exit: 7, http: 502, title: 'Drift could not be checked' },
  expired: { exit: 3, http: 200, title: 'Request expired' },
  file_exists: { exit: 8, http: 409, title: 'File exists' },
  forbidden: { exit: 6, http: 403, title: 'Not allowed' },
  git_failed: { exit: 7, http: 502, title: 'Git or its host failed' },
  grant_expired: { exit: 3, http: 410, title: 'Grant expired' },
  grant_invalid: { exit: 6, http: 403, title: 'Grant does not verify' },
  grant_revoked: { exit: 3, http: 410, title: 'Grant revoked' },
  internal: { exit: 1, http: 500, title: 'A bug in vkit' },
  interrupted: { exit: 130, http: 499, title: 'Interrupted' },
  invalid_aql: { exit: 2, http: 400, title: 'Query invalid' },
  invalid_input: { exit: 2, http: 400, title: 'Input invalid' },
  invalid_pack: { exit: 2, http: 400, title: 'Policy pack invalid' },
  invalid_policy: { exit: 2, http: 400, title: 'Policy invalid' },
  invalid_registry: { exit: 2, http: 400, title: 'Registry invalid' },
  key_exposed: { exit: 2, http: 400, title: 'A private key is where Git could take it' },
  key_invalid: { exit: 2, http: 400, title: 'Key invalid' },
  limit_exceeded: { exit: 2, http: 400, title: 'A limit is exceeded' },
  lock_held: { exit: 8, http: 409, title: 'Another process holds the lock' },
  metadata_required: { exit: 2, http: 400, title: 'Required metadata is missing' },
  no_active_bundle: { exit: 3, http: 200, title: 'No active bundle' },
  not_found: { exit: 2, http: 404, title: 'Not found' },
  permission_denied: { exit: 2, http: 500, title: 'The file system does not allow it' },
  policy_denied: { exit: 3, http: 403, title: 'Denied by policy' },
  policy_tests_failed: { exit: 3, http: 400, title: 'Policy tests fail' },
  project_not_found: { exit: 2, http: 404, title: 'No vkit project here' },
  query_timeout: { exit: 7, http: 504, title: 'The query took too long' },
  rate_limited: { exit: 7, http: 429, title: 'Too many requests' },
  schema_changed: { exit: 8, http: 409, title: 'The schema changed' },
  secret_unavailable: { exit: 7, http: 503, title: 'A secret cannot be fetched' },
  sequence_too_low: { exit: 8, http: 409, title: 'Bundle sequence too low' },
  server_unreachable: { exit: 7, http: 503, title: 'Server unreachable' },
  unauthenticated: { exit: 6, http: 401, title: 'Not logged in' },
  unavailable: { exit: 7, http: 503, title: 'Unavailable' },
  unknown_field: { exit: 3, http: 200, title: 'Unknown or denied field' },
  unsupported: { exit: 2, http: 400, title: 'Not supported' },
  usage: { exit: 2, http: 400, title: 'Wrong usage' },
  validation: { exit: 2, http: 400, title: 'Input invalid' },
  vault_failed: { exit: 7, http: 503, title: 'A sealed secret cannot be opened' },
} as const satisfies Record<string, ErrorCode>;

/** The name of a row of `ERROR_CODES`. */
export type ErrorCodeName = keyof typeof ERROR_CODES;

/** Tells whether a string from outside (a server's `type`) names a row of the table. */
export function isErrorCodeName(name: unknown): name is ErrorCodeName {
  return typeof name === 'string' && Object.hasOwn(ERROR_CODES, name);
}
