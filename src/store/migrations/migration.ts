import type { Db } from '../tables.js';

/** One step of the schema, in SQL that SQLite and PostgreSQL both take. A released one is never edited. */
export interface Migration {
  /** 1 for the first; ascending. */
  version: number;
  name: string;
  statements: readonly string[];
  /** Fills what the statements added from what was there before, in the same transaction; for what has no portable SQL. */
  fill?: (tx: Db) => Promise<void>;
}
