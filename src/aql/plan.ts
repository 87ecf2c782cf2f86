import type { MaskMethod } from '../masking/model.js';
import type { FieldKind } from '../schema/field-type.js';
import type { TableIdentity, TableKind } from '../schema/model.js';
import type { BoundValue, Expr } from './expression.js';
import type { JoinType } from './model.js';

/** One column of the answer. */
export interface OutputColumn {
  readonly name: string;
  /** The normalised type clients can rely on; `text` for a masked column, nullify's aside. */
  readonly type: string;
  /** Present where the column's values are masked. */
  readonly masked?: MaskMethod;
}

/**
 * One entry of FROM. Where the dataset has a masked field, `derived` lists what the derived table projects, already
 * masked: nothing outside it can name a raw column. Otherwise the table stands there itself.
 */
export interface PlanSource {
  readonly alias: string;
  readonly table: TableIdentity;
  readonly derived: readonly ProjectedColumn[] | null;
  /** What the table is called inside the derived table, and nowhere else. */
  readonly rawAlias: string;
}

/** One column of a derived table. Plans share it. */
export interface ProjectedColumn {
  readonly name: string;
  readonly expr: Expr;
}

export interface PlanJoin {
  type: JoinType;
  source: PlanSource;
  on: Expr;
}

export interface PlanOrder {
  /** A `key`, or something that sorts alike in every engine without being one. */
  expr: Expr;
  direction: 'ASC' | 'DESC';
  /** Always given: NULL sorts as the largest value unless the query says otherwise. */
  nulls: 'first' | 'last';
  /** Whether the key is a column that is not NULL in any row. */
  neverNull?: true;
}

/** What the live table must look like for the query to run: the schema that was reviewed. */
export interface TableExpectation {
  dataset: string;
  table: TableIdentity;
  kind?: TableKind;
  definition_digest?: string;
  /** The object id that the table must have, where its datasource asks for that (`schema_check: identity`). */
  oid?: number;
  /** A column without a position is checked by name and type alone. */
  columns: readonly { name: string; type: string; position?: number }[];
}

/** An output of which the database answers raw values, in whose place the data plane puts tokens. */
export interface TokenizedOutput {
  /** Which key makes the tokens. */
  readonly domain: string;
  /** The normalised type of the raw values. */
  readonly type: string;
}

export interface PlanOutput {
  /** As the requester sees it. */
  readonly column: OutputColumn;
  readonly expr: Expr;
  readonly token?: TokenizedOutput;
}

/** A column of the answer with the kind of its expression, as its order needs it. */
export interface PlannedOutput extends PlanOutput {
  readonly kind: FieldKind;
}

/** A query with names resolved, types known and masks attached; each dialect writes it as its SQL. */
export interface Plan {
  from: PlanSource;
  joins: readonly PlanJoin[];
  where: Expr | null;
  outputs: readonly PlanOutput[];
  groupBy: readonly Expr[];
  having: Expr | null;
  orderBy: readonly PlanOrder[];
  limit: number;
  offset: number;
  tables: readonly TableExpectation[];
}

/** SQL text with its bound values, in the order of their placeholders. */
export interface CompiledQuery {
  sql: string;
  params: readonly BoundValue[];
  /** As the database answers them: a tokenized column has the type of its raw values. */
  columns: readonly OutputColumn[];
  /** How many rows it answers at most; absent where that is not known. */
  rowsMax?: number;
  tables: readonly TableExpectation[];
}
