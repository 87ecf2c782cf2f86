import type { FieldKind } from '../schema/field-type.js';
import type { AggregateFunction, FilterOperator } from './model.js';

/** What a kind of field can do beside being read and tested for NULL. */
interface Abilities {
  /** eq, neq, in, not_in, joins, grouping, ordering and distinct counts. */
  equality: boolean;
  /** gt, lt, gte, lte, between, min and max, alike in every engine. */
  range: boolean;
  /** sum and avg. */
  sum: boolean;
}

const NOTHING: Abilities = { equality: false, range: false, sum: false };
const IDENTITY: Abilities = { equality: true, range: false, sum: false };
const ORDERED: Abilities = { equality: true, range: true, sum: false };
const NUMBER: Abilities = { equality: true, range: true, sum: true };

export const KIND_ABILITIES: Readonly<Record<FieldKind, Abilities>> = {
  boolean: IDENTITY,
  integer: NUMBER,
  numeric: NUMBER,
  float: NUMBER,
  text: ORDERED,
  uuid: IDENTITY,
  date: ORDERED,
  time: ORDERED,
  timestamp: ORDERED,
  timestamptz: ORDERED,
  bytes: IDENTITY,
  json: NOTHING,
  array: NOTHING,
  other: NOTHING,
};

/** What is asked about: a field or an aggregate, and whether its values are seen as tokens. */
interface Asked {
  kind: FieldKind;
  token?: unknown;
}

/** Whether a filter operator works on a kind; tokens are told apart, and no more. */
export function supportsOperator({ kind, token }: Asked, operator: FilterOperator): boolean {
  const { equality, range } = token === undefined ? KIND_ABILITIES[kind] : IDENTITY;
  switch (operator) {
    case 'is_null':
    case 'is_not_null':
      return true;
    case 'like':
    case 'not_like':
      return kind === 'text' && token === undefined;
    case 'eq':
    case 'neq':
    case 'in':
    case 'not_in':
      return equality;
    default:
      return range;
  }
}

/** Whether an aggregate function works on a kind; tokens are counted, and no more. */
export function supportsAggregate({ kind, token }: Asked, func: AggregateFunction): boolean {
  const { equality, range, sum } = token === undefined ? KIND_ABILITIES[kind] : IDENTITY;
  if (func === 'count') return true;
  if (func === 'count_distinct') return equality;
  return func === 'sum' || func === 'avg' ? sum : range;
}

/** The kind in which two fields are compared by a join, or `undefined` where their values never compare. */
export function joinKind(left: FieldKind, right: FieldKind): FieldKind | undefined {
  if (left === right) return KIND_ABILITIES[left].equality ? left : undefined;
  const exact = (kind: FieldKind) => kind === 'integer' || kind === 'numeric';
  return exact(left) && exact(right) ? 'numeric' : undefined;
}
