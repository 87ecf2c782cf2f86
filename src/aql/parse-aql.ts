import type { Problem } from '../errors/index.js';
import { checkSize } from './check-size.js';
import {
  checkCount,
  checkList,
  checkName,
  checkObject,
  checkWord,
  isName,
  type JsonObject,
  ownValue,
  parseEntries,
  report,
} from './input-checks.js';
import type { Aql, AqlAggregate, AqlJoin, AqlOrder } from './model.js';
import { AGGREGATE_FUNCTIONS, AQL_LIMITS, JOIN_TYPES } from './model.js';
import { parseFilters } from './parse-filters.js';

export const AQL_KEYS = [
  'source_table',
  'columns',
  'joins',
  'aggregates',
  'filters',
  'group_by',
  'having',
  'order_by',
  'limit',
  'offset',
] as const;
export const JOIN_KEYS = ['type', 'table', 'alias', 'left_field', 'right_field', 'and'] as const;
export const PAIR_KEYS = ['left_field', 'right_field'] as const;
export const AGGREGATE_KEYS = ['func', 'field', 'alias'] as const;
export const ORDER_KEYS = ['column', 'direction', 'nulls'] as const;
export const DIRECTIONS = ['ASC', 'DESC'] as const;
export const NULLS = ['first', 'last'] as const;

/**
 * Reads one AQL query from JSON of unknown shape. Every problem is reported at once, each with its JSON Pointer; with
 * none, the query is in its normal form: absent, `null`, `[]` and `limit: 0` are absent, `order_by` is a list,
 * words are in their one spelling. It never throws. Names are not resolved and values not compared with types here.
 */
export function parseAql(input: unknown): { aql: Aql } | { problems: Problem[] } {
  const tooMuch = checkSize(input);
  if (tooMuch !== undefined) return { problems: [tooMuch] };
  const problems: Problem[] = [];
  const object = checkObject(input, '', AQL_KEYS, problems);
  if (object === undefined) return { problems };
  const source = checkName(ownValue(object, 'source_table'), '/source_table', problems);
  const columns = parseNames(object, 'columns', problems);
  const joins = parseEach(object, 'joins', AQL_LIMITS.joinsMax, problems, parseJoin);
  const aggregates = parseEach(
    object,
    'aggregates',
    AQL_LIMITS.columnsMax,
    problems,
    parseAggregate,
  );
  const filters = parseFilters(ownValue(object, 'filters'), '/filters', problems);
  const groupBy = parseNames(object, 'group_by', problems);
  const having = parseFilters(ownValue(object, 'having'), '/having', problems);
  const orderBy = parseOrders(ownValue(object, 'order_by'), problems);
  const limit = checkCount(ownValue(object, 'limit'), '/limit', problems);
  const offset = checkCount(ownValue(object, 'offset'), '/offset', problems);
  if (isAbsent(object, 'columns') && isAbsent(object, 'aggregates')) {
    const message = 'A query needs `columns` or `aggregates`; ["*"] selects every readable field.';
    report(problems, { pointer: '', code: 'required', message });
  }
  if (problems.length > 0 || source === undefined) return { problems };
  const aql: Aql = { source_table: source };
  if (columns.length > 0) aql.columns = columns;
  if (joins.length > 0) aql.joins = joins;
  if (aggregates.length > 0) aql.aggregates = aggregates;
  if (filters.length > 0) aql.filters = filters;
  if (groupBy.length > 0) aql.group_by = groupBy;
  if (having.length > 0) aql.having = having;
  if (orderBy.length > 0) aql.order_by = orderBy;
  if (limit > 0) aql.limit = limit;
  if (offset > 0) aql.offset = offset;
  return { aql };
}

function isAbsent(object: JsonObject, key: string): boolean {
  const value = ownValue(object, key);
  return value === undefined || (Array.isArray(value) && value.length === 0);
}

function parseNames(object: JsonObject, key: string, problems: Problem[]): string[] {
  const pointer = `/${key}`;
  const entries = checkList(ownValue(object, key), pointer, AQL_LIMITS.columnsMax, problems);
  // Where each makes no problem, there is no place to tell.
  if (areNames(entries)) return [...entries];
  return parseEntries(entries, pointer, problems, checkName);
}

function areNames(entries: readonly unknown[]): entries is readonly string[] {
  for (let index = 0; index < entries.length; index += 1) {
    if (!isName(entries[index])) return false;
  }
  return true;
}

function parseEach<Part>(
  object: JsonObject,
  key: string,
  max: number,
  problems: Problem[],
  parse: (value: unknown, pointer: string, problems: Problem[]) => Part | undefined,
): Part[] {
  const pointer = `/${key}`;
  const entries = checkList(ownValue(object, key), pointer, max, problems);
  return parseEntries(entries, pointer, problems, parse);
}

function parseJoin(value: unknown, pointer: string, problems: Problem[]): AqlJoin | undefined {
  const object = checkObject(value, pointer, JOIN_KEYS, problems);
  if (object === undefined) return undefined;
  const type = checkWord(
    ownValue(object, 'type') ?? 'INNER',
    `${pointer}/type`,
    JOIN_TYPES,
    problems,
  );
  const table = checkName(ownValue(object, 'table'), `${pointer}/table`, problems);
  const alias = parseAlias(object, pointer, problems);
  const pair = parsePair(object, pointer, problems);
  const at = `${pointer}/and`;
  const more = checkList(ownValue(object, 'and'), at, AQL_LIMITS.joinPairsMax, problems);
  const and = parseEntries(more, at, problems, parseMorePair);
  if (type === undefined || table === undefined || pair === undefined) return undefined;
  const join: AqlJoin = {
    type,
    table,
    left_field: pair.left_field,
    right_field: pair.right_field,
  };
  if (alias !== undefined) join.alias = alias;
  if (and.length > 0) join.and = and;
  return join;
}

function parseMorePair(value: unknown, pointer: string, problems: Problem[]): Pair | undefined {
  const object = checkObject(value, pointer, PAIR_KEYS, problems);
  return object && parsePair(object, pointer, problems);
}

interface Pair {
  left_field: string;
  right_field: string;
}

function parsePair(object: JsonObject, pointer: string, problems: Problem[]): Pair | undefined {
  const left = checkName(ownValue(object, 'left_field'), `${pointer}/left_field`, problems);
  const rightAt = `${pointer}/right_field`;
  const right = checkName(ownValue(object, 'right_field'), rightAt, problems);
  if (left === undefined || right === undefined) return undefined;
  return { left_field: left, right_field: right };
}

function parseAlias(object: JsonObject, pointer: string, problems: Problem[]): string | undefined {
  const alias = ownValue(object, 'alias');
  if (alias === undefined) return undefined;
  return checkName(alias, `${pointer}/alias`, problems, AQL_LIMITS.aliasCharactersMax);
}

function parseAggregate(
  value: unknown,
  pointer: string,
  problems: Problem[],
): AqlAggregate | undefined {
  const object = checkObject(value, pointer, AGGREGATE_KEYS, problems);
  if (object === undefined) return undefined;
  const funcAt = `${pointer}/func`;
  const func = checkWord(ownValue(object, 'func'), funcAt, AGGREGATE_FUNCTIONS, problems);
  const fieldAt = `${pointer}/field`;
  const field = checkName(ownValue(object, 'field'), fieldAt, problems);
  const alias = parseAlias(object, pointer, problems);
  if (func === undefined || field === undefined) return undefined;
  if (field === '*' && func !== 'count') {
    const message = `Only count takes "*"; ${func} needs a field.`;
    report(problems, { pointer: fieldAt, code: 'value', message });
    return undefined;
  }
  return alias === undefined ? { func, field } : { func, field, alias };
}

function parseOrders(value: unknown, problems: Problem[]): AqlOrder[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    const order = parseOrder(value, '/order_by', problems);
    return order === undefined ? [] : [order];
  }
  const entries = checkList(value, '/order_by', AQL_LIMITS.columnsMax, problems);
  return parseEntries(entries, '/order_by', problems, parseOrder);
}

function parseOrder(value: unknown, pointer: string, problems: Problem[]): AqlOrder | undefined {
  const object = checkObject(value, pointer, ORDER_KEYS, problems);
  if (object === undefined) return undefined;
  const column = checkName(ownValue(object, 'column'), `${pointer}/column`, problems);
  const directionAt = `${pointer}/direction`;
  const direction = checkWord(
    ownValue(object, 'direction') ?? 'ASC',
    directionAt,
    DIRECTIONS,
    problems,
  );
  const given = ownValue(object, 'nulls');
  const nulls =
    given === undefined ? undefined : checkWord(given, `${pointer}/nulls`, NULLS, problems);
  if (column === undefined || direction === undefined) return undefined;
  return nulls === undefined ? { column, direction } : { column, direction, nulls };
}
