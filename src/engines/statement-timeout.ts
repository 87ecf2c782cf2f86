const SECONDS_MAX = 86_400;

/** JSON Schema of `statement_timeout` in the `config` of every engine. */
export const STATEMENT_TIMEOUT = {
  type: 'integer',
  minimum: 1,
  maximum: SECONDS_MAX,
  description: "Seconds that a query may take; default the server's statement_timeout_seconds.",
} as const;

/** How long a query of a datasource may take, in milliseconds; `byDefaultMs` where its configuration does not say. */
export function statementTimeoutMs(
  config: Readonly<Record<string, unknown>>,
  byDefaultMs: number,
): number {
  const { statement_timeout: seconds } = config;
  return typeof seconds === 'number' ? seconds * 1000 : byDefaultMs;
}
