import { isLike } from '../../aql/reference/like.js';

type Json = Record<string, unknown>;

/** A query of one twin, and the same query of the other. */
export interface TwinQueries {
  one: unknown;
  other: unknown;
}

const NAME = /[0-9a-f]{64}|tok_1_[A-Za-z0-9_-]+/gi;
/** Greater than every hash, and like none. */
const BEYOND = '~';

/** A text with the names of one twin in the place of the other's, whatever their case. */
export function renamed(text: string, names: ReadonlyMap<string, string>): string {
  return text.replace(NAME, (found) => {
    const name = names.get(found);
    if (name !== undefined) return name;
    const inLower = names.get(found.toLowerCase());
    return inLower === undefined ? found : inLower.toUpperCase();
  });
}

/**
 * The query with hashes and tokens renamed. A text that the requester compares with a hash is the same question of both
 * twins only where each hash and its other name stand to it alike: another is replaced in both.
 */
export function twinQueries(
  query: unknown,
  names: ReadonlyMap<string, string>,
  hashedFields: readonly string[],
): TwinQueries {
  const hashes = [...names].filter(([name]) => !name.startsWith('tok_'));
  const isSame = (text: string, isPattern: boolean): boolean => {
    const other = renamed(text, names);
    return hashes.every(([hash, otherHash]) =>
      isPattern
        ? isLike(hash, text) === isLike(otherHash, other)
        : compare(hash, text) === compare(otherHash, other),
    );
  };
  const one = withConditions(query, (condition) => {
    const field = String(condition.field).toLowerCase();
    const isHash = hashedFields.some((name) => field.includes(name.toLowerCase()));
    const isAlias = !field.includes('(') && !field.includes('.');
    if (!isHash && !(isAlias && hashedFields.length > 0)) return condition;
    const isPattern = /like/i.test(String(condition.operator));
    return {
      ...condition,
      value: onTexts(condition.value, (text) => (isSame(text, isPattern) ? text : BEYOND)),
    };
  });
  const other = withConditions(one, (condition) => ({
    ...condition,
    value: onTexts(condition.value, (text) => renamed(text, names)),
  }));
  return { one, other };
}

const compare = (left: string, right: string) => (left < right ? -1 : left > right ? 1 : 0);

function withConditions(query: unknown, change: (condition: Json) => Json): unknown {
  if (!isObject(query)) return query;
  const deep = (one: unknown): unknown => {
    if (Array.isArray(one)) return one.map(deep);
    if (!isObject(one)) return one;
    if (Array.isArray(one.conditions)) return { ...one, conditions: one.conditions.map(deep) };
    return 'value' in one ? change(one) : one;
  };
  const list = (key: string) => (query[key] === undefined ? {} : { [key]: deep(query[key]) });
  return { ...query, ...list('filters'), ...list('having') };
}

function onTexts(value: unknown, change: (text: string) => string): unknown {
  if (Array.isArray(value)) return value.map((one) => onTexts(one, change));
  return typeof value === 'string' ? change(value) : value;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
