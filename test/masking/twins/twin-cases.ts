import {
  arbitraryCase,
  methodOf,
  type TestCase,
  visibilityKey,
  worldOf,
} from '../../aql/differential/arbitrary-case.js';
import { FUNCTIONS, OPERATORS, type Target } from '../../aql/differential/cells.js';
import type { Dice } from '../../aql/differential/dice.js';
import { takesAggregate, takesOperator } from '../../aql/reference/abilities.js';
import { groupingOf, problemsOf, TOKEN_OPERATORS } from '../../aql/reference/check.js';
import { readQuery } from '../../aql/reference/read-query.js';
import { resolve } from '../../aql/reference/resolve.js';
import type { ReferenceWorld } from '../../aql/reference/schema.js';
import { kindOf } from '../../aql/reference/value.js';
import { fullInstead, waysToSee } from './differences.js';
import type { TwinGround } from './with-twins.js';

export const METHODS = ['raw', 'full', 'nullify', 'partial', 'hash', 'tokenize', 'hidden'];
export const CLAUSES = [
  'columns',
  'star',
  'filter',
  'join',
  'join pair',
  'self join',
  'aggregate',
  'group_by',
  'having',
  'order_by',
  'limit',
  'offset',
] as const;

export type Clause = (typeof CLAUSES)[number];
/** What a case is made for: a clause, and how a field of it is seen. */
export interface TwinTarget {
  clause: Clause;
  method: string;
}

/** Clauses that few queries have by chance come more than once. */
const RARE: readonly Clause[] = [
  'filter',
  'group_by',
  'having',
  'having',
  'having',
  'having',
  'aggregate',
];
const TARGETS: readonly TwinTarget[] = METHODS.flatMap((method) =>
  [...CLAUSES, ...RARE].map((clause) => ({ clause, method })),
);
/** Of so many cases one is about anything, and may have a mistake in it. */
const FREE_OF = 10;
/** A query that is refused is asked again in other words: there are enough of them. */
const TRIES_MAX = 3;

/** What the case of a number is made for, each target in its turn. */
export function targetOfCase(at: number): TwinTarget | undefined {
  if (at % FREE_OF === FREE_OF - 1) return undefined;
  return TARGETS[(at - Math.floor(at / FREE_OF)) % TARGETS.length];
}

/** A query that both twins are asked, and how its requester sees their fields. */
export function arbitraryTwinCase(
  dice: Dice,
  { twins, ground: { datasets, profile } }: TwinGround,
  target: TwinTarget | undefined,
): TestCase {
  const types = new Map(
    datasets.flatMap(({ name, fields }) =>
      fields.map((field): [string, string] => [visibilityKey(name, field.name), field.type]),
    ),
  );
  const seenAs = (key: string) => {
    const type = types.get(key) ?? '';
    return waysToSee(twins.differences[key] ?? { of: 'nothing' }, type);
  };
  const kinds = [...types].flatMap(([key, type]) => {
    const isSeen = seenAs(key).some((seen) => methodOf(seen) === target?.method);
    const isFull = fullInstead(type).some((seen) => methodOf(seen) === target?.method);
    return isSeen ? [{ kind: kindOf(type), isFull }] : [];
  });
  // Where a mask is `full` in the place of another, there is less to tell.
  const telling = kinds.filter(({ isFull }) => !isFull);
  const pickKind = () => dice.pick(telling.length > 0 && !dice.oneIn(8) ? telling : kinds).kind;
  const isFree = target === undefined || kinds.length === 0;
  const { joinTypes } = profile.limits;
  const guess = guessing(dice, twins);
  for (let tries = 1; ; tries += 1) {
    const inner = isFree ? undefined : innerTarget(dice, target, pickKind(), joinTypes);
    const testCase = arbitraryCase(dice, datasets, profile, inner, seenAs);
    const query = withClause(dice, testCase.query, target?.clause, guess);
    const one = { ...testCase, query };
    const isRight = !isRefused(query, worldOf(one, datasets, profile));
    if (isRight || isFree || tries === TRIES_MAX) return one;
  }
}

/** Whether the query is refused before a database is asked. */
function isRefused(query: unknown, world: ReferenceWorld): boolean {
  const read = readQuery(query);
  if ('problems' in read) return true;
  const resolved = resolve(read.query, world);
  return 'refused' in resolved || problemsOf(resolved, groupingOf(resolved), world).length > 0;
}

/** What tells most values from each other: equality rarely meets another. */
const RANGES = ['gt', 'lt', 'gte', 'lte'];

function innerTarget(
  dice: Dice,
  { clause, method }: TwinTarget,
  kind: string,
  joinTypes: readonly string[],
): Target {
  const isOwn = ['raw', 'nullify', 'hidden'].includes(method);
  const seen = isOwn ? kindOf(kind) : 'text';
  switch (clause) {
    case 'filter': {
      const fitting = OPERATORS.filter((operator) =>
        method === 'tokenize' ? TOKEN_OPERATORS.includes(operator) : takesOperator(seen, operator),
      );
      const telling = fitting.filter((operator) => RANGES.includes(operator));
      return ['filter', dice.pick([...fitting, ...telling, ...telling, ...telling]), kind, method];
    }
    case 'join':
    case 'join pair':
    case 'self join':
      return ['join', dice.pick(joinTypes), kind, method];
    case 'aggregate':
    case 'having': {
      const fitting = FUNCTIONS.filter((func) =>
        method === 'tokenize' ? func.startsWith('count') : takesAggregate(seen, func),
      );
      // Of NULLs alone a count tells something else than of values.
      const telling = fitting.filter((func) =>
        method === 'nullify' ? func.startsWith('count') : func === 'min' || func === 'max',
      );
      return ['aggregate', dice.pick([...fitting, ...telling, ...telling]), kind, method];
    }
    case 'group_by':
      return [dice.pick(['group_by', 'grouped columns']), kind, method];
    case 'order_by':
      return ['order_by', kind, method];
    default:
      return ['columns', kind, method];
  }
}

/** The query with what a case is not made for by itself. */
function withClause(
  dice: Dice,
  written: unknown,
  clause: Clause | undefined,
  guess: Guess,
): unknown {
  if (typeof written !== 'object' || written === null) return written;
  const isNarrowed = clause === 'filter' || (clause !== undefined && dice.oneIn(3));
  const query = isNarrowed ? withNarrowFilters(dice, written, guess) : written;
  switch (clause) {
    case 'star': {
      const columns = 'columns' in query && Array.isArray(query.columns) ? query.columns : [];
      return { ...query, columns: dice.oneIn(2) ? ['*'] : [...columns, '*'] };
    }
    case 'limit':
      return { ...query, limit: 1 + dice.upTo(4) };
    case 'offset':
      return { ...query, offset: 1, limit: 1 + dice.upTo(6) };
    case 'having': {
      const aggregates = 'aggregates' in query && Array.isArray(query.aggregates);
      if (!aggregates) return query;
      const [first] = query.aggregates as { func: string; field: string }[];
      const written = 'having' in query && Array.isArray(query.having) ? query.having : [];
      return { ...query, having: first ? [havingOf(dice, first, guess)] : written };
    }
    default:
      return query;
  }
}

/** A value that the one twin has and the other has not, as a requester guesses it, for the field that a text names. */
type Guess = (field: unknown) => string;

function guessing(dice: Dice, { tables, otherRows }: TwinGround['twins']): Guess {
  const texts = tables.flatMap(({ name, fields, rows }) =>
    fields.flatMap((field, at) => {
      const others = otherRows[name];
      const values = rows.flatMap((row, i) => {
        const cell = row[at] ?? null;
        return cell === null || cell === others?.[i]?.[at] ? [] : [cell];
      });
      return kindOf(field.type) === 'text' ? [{ name: field.name, values }] : [];
    }),
  );
  return (field) => {
    const named = String(field).toLowerCase();
    const values = texts.flatMap((one) =>
      named.endsWith(one.name.toLowerCase()) ? one.values : [],
    );
    return values.length === 0 ? 'm' : dice.pick(values);
  };
}

/** Texts are what most masks make of any field; where it is none, the query is refused, and asked in other words. */
function havingOf(
  dice: Dice,
  { func, field }: { func: string; field: string },
  guess: Guess,
): object {
  const operand = { field: `${func}(${field})` };
  const isCount = func.startsWith('count');
  if (!isCount && dice.oneIn(8)) return { operator: 'is_not_null', ...operand };
  const value = isCount ? dice.upTo(3) : dice.oneIn(4) ? 'm' : guess(field);
  return { operator: dice.pick(['gt', 'lte', 'gte', 'lt', 'eq', 'neq']), ...operand, value };
}

type Json = Record<string, unknown>;

function withNarrowFilters(dice: Dice, query: object, guess: Guess): object {
  if (!('filters' in query) || !Array.isArray(query.filters)) return query;
  return { ...query, filters: query.filters.map((one) => narrowed(dice, one, guess)) };
}

/**
 * The condition without the wide one beside it, which hides what it does; often with a value that a mask hides, or that ends in
 * the midst of what `partial` hides.
 */
function narrowed(dice: Dice, condition: Json, guess: Guess): Json {
  const { conditions } = condition;
  if (Array.isArray(conditions)) {
    const telling: Json[] = conditions.filter(({ value }: Json) => value !== undefined);
    const [first] = telling;
    if (first !== undefined) return narrowed(dice, first, guess);
  }
  const { value } = condition;
  // Tokens cannot be guessed: they are refused.
  if (typeof value !== 'string' || value.startsWith('tok_')) return condition;
  const isGuess = dice.oneIn(2);
  if (isGuess) return { ...condition, value: guess(condition.field) };
  return { ...condition, value: value.replace('****', dice.pick(['m', 'b', '****'])) };
}
