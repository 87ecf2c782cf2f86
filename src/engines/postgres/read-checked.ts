import type { CompiledQuery } from '../../aql/plan.js';
import { factsOf, lockTables, readFacts, readSchemas, schemasOf } from './check-tables.js';
import { sqlState } from './error.js';
import { type PostgresSession, pipelinedBegin, type TextRow } from './session.js';

/** query_canceled, lock_not_available: what waited is not to wait a second time. */
const GAVE_UP: readonly (string | undefined)[] = ['57014', '55P03'];

/** "cached plan must not change result type": a prepared statement is older than its table. */
const FEATURE_NOT_SUPPORTED = '0A000';

/**
 * What `createTableCheck` and a query do, sent together: the transaction, the lock, what a comparison looks at, the query, the
 * schemas once it has run, and the end. Its rows count only where all that was looked at is, to the letter, `passed`; the
 * database has read them by then, under the lock, and nobody has seen them. Answers `undefined` where they do not count, with
 * the transaction still to be opened. Throws the database's error of a query whose tables are as they were, or that took
 * too long.
 */
export async function readChecked(
  session: PostgresSession,
  { tables, sql, params }: CompiledQuery,
  timeoutMs: number,
  passed: string,
): Promise<readonly TextRow[] | undefined> {
  const begin = session.takeDeferred();
  // It is open: the connection had to show that it still stands.
  if (begin === '') return undefined;
  const before = [...pipelinedBegin(timeoutMs), { sql: lockTables(tables) }];
  const { rows, error } = await session.pipeline([
    ...before,
    ...readFacts(tables).map((read) => ({ sql: read })),
    { sql, values: params },
    { sql: readSchemas(tables) },
    { sql: 'ROLLBACK' },
  ]);
  const at = before.length + tables.length;
  const facts = factsOf(rows.slice(before.length, at).flat());
  const isSame = rows.length >= at && facts.text === passed;
  const state = error === undefined ? undefined : sqlState(error);
  const isUnclear = !isSame || state === FEATURE_NOT_SUPPORTED;
  if (error !== undefined && isUnclear && !GAVE_UP.includes(state)) {
    // A connection that was lost fails again, with what is tried next.
    session.defer(begin);
    return undefined;
  }
  if (error !== undefined) throw error;
  if (isSame && schemasOf(rows[at + 1] ?? []) === facts.schemas) return rows[at];
  session.defer(begin);
  return undefined;
}
