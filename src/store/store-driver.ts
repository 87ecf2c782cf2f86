import type { DatabaseConnection, Driver, OperationNode } from 'kysely';

/**
 * Resolves once what was written in a turn is committed and on disk; rejects where it will not be. The disk is synced for it
 * when it is first called, and once for all who wrote until then.
 */
export type OnDisk = () => Promise<void>;

/** Kysely's driver, whose writers have their turn one after the other. */
export interface StoreDriver extends Driver {
  /**
   * As `releaseConnection`, for whoever has something else to do before what the turn has written must be on disk; whoever
   * has the next turn sees it.
   */
  endTurn(connection: DatabaseConnection): OnDisk;
}

/** What a statement changes that this process, or another, has made something of. */
export interface Change {
  /** Accounts: users, sessions, agent tokens. */
  accounts: boolean;
  /** What somebody may do who is doing it already. */
  rights: boolean;
}

/** Everything: where it is not known what became of a statement, or of a transaction. */
export const ANY_CHANGE: Change = { accounts: true, rights: true };

/** Tables by which nothing that is decided changes. */
const NEUTRAL = new Set([
  'audit_records',
  'audit_index',
  'audit_checkpoints',
  'audit_sinks',
  'notifications',
  'tickets',
  'cli_logins',
  'schema_migrations',
]);
const ACCOUNTS = new Set(['users', 'sessions', 'agent_tokens']);
/** A row that is new in one of these takes nothing away from anybody. */
const GIVES = new Set([
  'sessions',
  'agent_tokens',
  'requests',
  'grants',
  'approvals',
  'idempotency',
]);

/** What a statement changes; null where it reads, or writes what nothing is decided by. */
export function changeOf(query: OperationNode): Change | null {
  if (query.kind === 'SelectQueryNode') return null;
  const table = tableOf(query);
  // What cannot be told apart, such as the statements of a migration, changes everything.
  if (table === undefined) return ANY_CHANGE;
  if (NEUTRAL.has(table)) return null;
  const gives = query.kind === 'InsertQueryNode' && GIVES.has(table);
  return { accounts: ACCOUNTS.has(table), rights: !gives };
}

function tableOf(query: OperationNode): string | undefined {
  const { into, table, from } = query as {
    into?: { table?: { identifier?: { name?: string } } };
    table?: { table?: { identifier?: { name?: string } } };
    from?: { froms?: readonly { table?: { identifier?: { name?: string } } }[] };
  };
  return (into ?? table ?? from?.froms?.[0])?.table?.identifier?.name;
}
