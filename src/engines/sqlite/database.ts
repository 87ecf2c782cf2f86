/** The part of `node:sqlite`'s interface that the child uses; @photostructure/sqlite has the same. */
export interface Statement {
  all(...params: unknown[]): unknown[];
  /** Absent in Node before 22.16. */
  columns?(): { database: string | null; table: string | null; column: string | null }[];
  iterate(...params: unknown[]): Iterator<unknown>;
  setReturnArrays(returnArrays: boolean): void;
  setReadBigInts(readBigInts: boolean): void;
}

interface FunctionOptions {
  deterministic: boolean;
  directOnly: boolean;
  useBigIntArguments: boolean;
  /** Any number of arguments; otherwise as many as the function's `length` says. */
  varargs: boolean;
}

export interface Database {
  readonly isTransaction: boolean;
  exec(sql: string): void;
  prepare(sql: string): Statement;
  function(
    name: string,
    options: FunctionOptions,
    run: (...values: StoredValue[]) => StoredValue,
  ): void;
  aggregate(
    name: string,
    options: FunctionOptions & {
      start: () => number;
      step: (state: number, value: StoredValue) => number;
      result: (state: number) => StoredValue;
    },
  ): void;
  close(): void;
}

export interface DatabaseModule {
  DatabaseSync: new (
    path: string,
    options: { readOnly: boolean; allowExtension: boolean },
  ) => Database;
  StatementSync?: { prototype: object };
}

/** A value as it comes back with `setReadBigInts(true)`. */
export type StoredValue = null | bigint | number | string | Uint8Array;

/** The rows of a query of vkit's own, as lists. */
export function readRows(
  database: Database,
  sql: string,
  ...params: (string | bigint)[]
): StoredValue[][] {
  const statement = database.prepare(sql);
  statement.setReturnArrays(true);
  statement.setReadBigInts(true);
  return statement.all(...params) as StoredValue[][];
}
