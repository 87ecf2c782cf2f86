/** The join kinds of AQL. */
export const JOIN_TYPES = ['INNER', 'LEFT', 'RIGHT', 'FULL'] as const;
export type JoinType = (typeof JOIN_TYPES)[number];

export const AGGREGATE_FUNCTIONS = ['count', 'count_distinct', 'sum', 'avg', 'min', 'max'] as const;
export type AggregateFunction = (typeof AGGREGATE_FUNCTIONS)[number];

export const FILTER_OPERATORS = [
  'eq',
  'neq',
  'gt',
  'lt',
  'gte',
  'lte',
  'like',
  'not_like',
  'in',
  'not_in',
  'between',
  'is_null',
  'is_not_null',
] as const;
export type FilterOperator = (typeof FILTER_OPERATORS)[number];

export interface AqlJoin {
  type: JoinType;
  table: string;
  alias?: string;
  left_field: string;
  right_field: string;
  and?: readonly { left_field: string; right_field: string }[];
}

export interface AqlAggregate {
  func: AggregateFunction;
  field: string;
  alias?: string;
}

export interface AqlComparison {
  operator: FilterOperator;
  field: string;
  value?: unknown;
}

export interface AqlGroup {
  logic: 'AND' | 'OR' | 'NOT';
  conditions: readonly AqlFilter[];
}

export type AqlFilter = AqlComparison | AqlGroup;

export interface AqlOrder {
  column: string;
  direction: 'ASC' | 'DESC';
  nulls?: 'first' | 'last';
}

/**
 * One read, after parsing: absent, `null`, `[]` and `limit: 0` have become absent parts, and `order_by` is a list. The
 * canonical form of this object (RFC 8785) is what a grant's hash covers.
 */
export interface Aql {
  source_table: string;
  columns?: readonly string[];
  joins?: readonly AqlJoin[];
  aggregates?: readonly AqlAggregate[];
  filters?: readonly AqlFilter[];
  group_by?: readonly string[];
  having?: readonly AqlFilter[];
  order_by?: readonly AqlOrder[];
  limit?: number;
  offset?: number;
}

/** The most of everything a query may hold. */
export const AQL_LIMITS = {
  bytesMax: 64 * 1024,
  groupsDepthMax: 32,
  joinsMax: 16,
  /** Entries of `columns`, `aggregates`, `group_by` and `order_by` each. */
  columnsMax: 500,
  inValuesMax: 10_000,
  /** Conditions in `filters`, and in `having`, however they are nested: SQLite parses 1,000 levels. */
  conditionsMax: 500,
  /** Key pairs of one join. */
  joinPairsMax: 16,
  /** Characters of a name: `datasource.schema.table.field` of the longest identifiers engines have. */
  nameCharactersMax: 1_024,
  aliasCharactersMax: 128,
  rowsMax: 1_000_000_000,
  /** Columns of an answer after `*` was expanded; PostgreSQL has room for 1,664. */
  outputsMax: 1_600,
  /** Problems reported at once. */
  problemsMax: 100,
} as const;
