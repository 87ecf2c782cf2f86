import type { BoundValue } from '../../aql/expression.js';
import type { TableReference, TableResource } from './api.js';
import type { BigqueryCell } from './cell.js';

/** One query at a time, and the calls around it. Errors are the client's own. */
export interface BigquerySession {
  readonly project: string;
  /** Where queries run: as configured, else where the dataset is. Reads the dataset once in a connector's life. */
  location(): Promise<string>;
  /** The round trip of one call that reads the dataset. */
  ping(): Promise<void>;
  listDatasets(): Promise<readonly string[]>;
  listTables(dataset: string): Promise<readonly string[]>;
  /** `undefined` where there is none. */
  getTable(reference: TableReference): Promise<TableResource | undefined>;
  /** Starts a job and waits until BigQuery has run it. */
  open(sql: string, values: readonly BoundValue[], timeoutMs: number): Promise<void>;
  /** The next rows of the job; fewer than asked for when there are no more. */
  fetch(rows: number): Promise<readonly (readonly BigqueryCell[])[]>;
  /** Whether BigQuery is working on a job. */
  isRunning(): boolean;
}

/** The session, `check` called before each call. */
export function guardSession(session: BigquerySession, check: () => void): BigquerySession {
  const guarded =
    <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      check();
      return call(...args);
    };
  return {
    project: session.project,
    location: guarded(session.location),
    ping: guarded(session.ping),
    listDatasets: guarded(session.listDatasets),
    listTables: guarded(session.listTables),
    getTable: guarded(session.getTable),
    open: guarded(session.open),
    fetch: guarded(session.fetch),
    isRunning: session.isRunning,
  };
}
