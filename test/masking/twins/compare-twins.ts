import { isDeepStrictEqual } from 'node:util';
import { methodOf, type TestCase } from '../../aql/differential/arbitrary-case.js';
import type { Fault } from '../../aql/differential/real-answer.js';
import { renamed, twinQueries } from './twin-queries.js';
import type { Seen, TwinGround } from './with-twins.js';

export interface TwinAnswers {
  one: Seen;
  other: Seen;
  /** What a requester could tell the twins apart by, or `null`. */
  difference: string | null;
}

/** Asks both twins, the one as the case has it and the other with its own names of hashes and tokens. */
export async function compareTwins(
  ground: TwinGround,
  testCase: TestCase,
  fault?: Fault,
): Promise<TwinAnswers> {
  const queries = twinQueries(testCase.query, ground.names, hashedFields(testCase));
  const one = await ground.ask('one', queries.one, testCase, fault);
  const other = await ground.ask('other', queries.other, testCase, fault);
  return { one, other, difference: differenceOf(one, other, ground.names) };
}

function hashedFields({ visibilities }: TestCase): string[] {
  return Object.entries(visibilities).flatMap(([key, seen]) =>
    methodOf(seen) === 'hash' ? [key.slice(key.indexOf(' → ') + 3)] : [],
  );
}

function differenceOf(one: Seen, other: Seen, names: ReadonlyMap<string, string>): string | null {
  const [left, right] = [visible(one), visible(other)];
  const expected: unknown = JSON.parse(renamed(JSON.stringify(left), names));
  if (isDeepStrictEqual(expected, JSON.parse(JSON.stringify(right)))) return null;
  return `one:   ${show(one)}\n  as it should be of the other: ${JSON.stringify(expected)}\n  other: ${show(other)}`;
}

/** What reaches a requester: not the SQL, and not what a database says of an error. */
function visible(seen: Seen): unknown {
  if ('failed' in seen) return seen.failed;
  if ('problems' in seen) return seen;
  const { columns, rows, truncated } = seen;
  return { columns, rows, truncated };
}

const show = (seen: Seen) => JSON.stringify(seen);
