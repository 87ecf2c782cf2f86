import type { Problem } from '../errors/index.js';
import type { Reference } from '../policy/model.js';
import type { CatalogDataset } from './catalog.js';
import type { AggregateFunction, FilterOperator, JoinType } from './model.js';

/** A field of one of the query's datasets, by the registry's names. */
export interface FieldRef {
  /** Index into `sources`: the same dataset may stand there twice. */
  source: number;
  dataset: string;
  field: string;
  /** Index into the `fields` of the source's dataset. */
  at: number;
}

/** One entry of FROM: the source table, then the joins in their order. */
export interface ResolvedSource {
  dataset: CatalogDataset;
  /** The alias, else the registry key: what qualifies its output columns where names collide. */
  label: string;
}

export interface ResolvedJoin {
  type: JoinType;
  /** Index into `sources` of the dataset that joins. */
  source: number;
  /** `right` is a field of the dataset that joins, `left` one of a dataset before it. */
  pairs: readonly { left: FieldRef; right: FieldRef; pointer: string }[];
  pointer: string;
}

export type ResolvedColumn =
  | { ref: FieldRef; pointer: string }
  /** `"*"`, until `expandStar` has replaced it. */
  | { star: true; pointer: string };

export interface ResolvedAggregate {
  func: AggregateFunction;
  /** `null` is `count(*)`. */
  ref: FieldRef | null;
  /** The output's name: the alias, else `func_field`. */
  name: string;
  pointer: string;
}

/** What a condition or an order compares: a field, or an aggregate in `having` and `order_by`. */
export type Operand = { ref: FieldRef } | { func: AggregateFunction; aggregateOf: FieldRef | null };

export type ResolvedFilter =
  | { operator: FilterOperator; operand: Operand; value: unknown; pointer: string }
  | { logic: 'AND' | 'OR' | 'NOT'; conditions: readonly ResolvedFilter[] };

export interface ResolvedOrder {
  operand: Operand;
  direction: 'ASC' | 'DESC';
  nulls: 'first' | 'last';
  pointer: string;
}

/** A query whose names have been looked up in the registry; what its types allow is checked by `buildPlan`. */
export interface ResolvedQuery {
  /** The datasource of all datasets, or `null` where the source table is unknown. */
  datasource: string | null;
  sources: readonly ResolvedSource[];
  joins: readonly ResolvedJoin[];
  columns: readonly ResolvedColumn[];
  aggregates: readonly ResolvedAggregate[];
  filters: readonly ResolvedFilter[];
  groupBy: readonly { ref: FieldRef; pointer: string }[];
  having: readonly ResolvedFilter[];
  orderBy: readonly ResolvedOrder[];
  limit: number | null;
  offset: number;
  /**
   * Everything the query touches, deduplicated and sorted: each dataset (`field: null`) and each field. A name that is
   * not in the registry is here as it was written, so that the evaluator denies it; of an ambiguous name, every meaning.
   */
  references: readonly Reference[];
  /** Names that are not in the registry: the query is denied as `unknown_field`, not malformed. */
  unknown: readonly { pointer: string; name: string }[];
  /**
   * What is malformed. Some of it tells that a field exists, so it is reported only to a requester whom the policies do
   * not deny any of `references`.
   */
  problems: readonly Problem[];
  /** Whether `"*"` still stands among the columns. */
  star: boolean;
}
