import type { ConnectionTarget } from '../../src/engines/contract.js';
import type { LocalEngineName } from '../../src/engines/index.js';

/** A new, empty database or schema, filled by the engine's own means and not by vkit's. */
export interface EngineGround {
  target: ConnectionTarget;
  /** The schema in which `execute` makes its tables. */
  schema: string;
  execute(sql: string): Promise<void>;
  /** Another session in the schema, which may keep a transaction open; it ends with the ground. */
  openSession(): Promise<OtherSession>;
  /** How many queries on the tables the database is working on for the driver now. */
  countBusy(): Promise<number>;
  /** Ends the driver's connections from outside, as a restart of the database does. */
  breakConnections(): Promise<void>;
}

/** A session of the engine's own, with nothing of vkit between. It waits a second for a lock, at most. */
export interface OtherSession {
  run(sql: string): Promise<void>;
}

/** A column with one value, and what both become. */
export interface TypeCase {
  /** As the engine declares it. */
  declared: string;
  /** As the engine writes the value. */
  literal: string;
  type: string;
  json: string;
}

/** What the suite must know of an engine beside its contract: the engine's own SQL. */
export interface EngineUnderTest {
  name: LocalEngineName;
  /** Why it cannot run here. */
  skipped: string | null;
  withGround(use: (ground: EngineGround) => Promise<void>): Promise<void>;
  placeholder(index: number): string;
  /** The type of a text that may be part of a key, as it is declared and as a scan reports it. */
  keyText: { declared: string; type: string };
  /** Statements that make unique indexes of `members` which are no keys: of some rows, of an expression. */
  indexesThatAreNoKeys: string;
  types: readonly TypeCase[];
  /** Statements that make types which `types` names. */
  prepareTypes?: string;
  /** SELECT of a statement that writes into the table `people`. */
  prepareWrite(schema: string): string | null;
  writeSql(schema: string): string;
  /** Reads the table `people` for a minute or longer. */
  slowSql(schema: string): string;
  /** `rows` rows of one integer and one text of `width` characters. */
  manyRowsSql(rows: number, width: number): string;
  /** Fails on one value, which the engine may quote. */
  failingSql: string;
  /** Statements that change the type of `people.age` to text. */
  retypeAge: string;
  /** Statements after which `people.name` stands where `people.email` stood and the reverse. */
  swapNameAndEmail: string;
  unreachable(target: ConnectionTarget): Record<string, ConnectionTarget>;
}
