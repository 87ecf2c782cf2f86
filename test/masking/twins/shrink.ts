import type { TestCase } from '../../aql/differential/arbitrary-case.js';
import { visibilityKey } from '../../aql/differential/arbitrary-case.js';
import type { EngineUnderTest } from '../../conformance/engine-ground.js';
import type { Twins } from './arbitrary-twins.js';
import { compareTwins } from './compare-twins.js';
import { withTwins } from './with-twins.js';

/** A case by which a requester can tell twins apart. Without `difference` it is what a replay needs. */
export interface FoundCase {
  engine: string;
  twins: Twins;
  testCase: TestCase;
  difference: string;
}

/** What a failure may take to be made small. */
const SHRINK_MS_MAX = 45_000;

/** The case with as little as possible of its query, its rows and its masks. */
export async function shrunk(under: EngineUnderTest, found: FoundCase): Promise<FoundCase> {
  const until = performance.now() + SHRINK_MS_MAX;
  let best = found;
  for (const stepsOf of [queries, withoutTables, queries, alikeFields, withoutRows, queries]) {
    best = await shrunkBy(under, best, stepsOf, until);
  }
  return best;
}

/** A smaller case, which may fail no more. */
type Smaller = Pick<FoundCase, 'twins' | 'testCase'>;

/** Takes each step that leaves a failure, and looks for steps again after one. */
async function shrunkBy(
  under: EngineUnderTest,
  found: FoundCase,
  stepsOf: (found: FoundCase) => Smaller[],
  until: number,
): Promise<FoundCase> {
  let best = found;
  let at = 0;
  while (performance.now() < until) {
    const smaller = stepsOf(best)[at];
    if (smaller === undefined) return best;
    const difference = await differenceOf(under, smaller);
    if (difference === null) at += 1;
    else best = { ...best, ...smaller, difference };
  }
  return best;
}

/** By what a requester can tell the twins apart, or `null`; a case that cannot be made at all shows nothing. */
export async function differenceOf(
  under: EngineUnderTest,
  { twins, testCase }: Smaller,
): Promise<string | null> {
  let difference: string | null = null;
  await withTwins(under, twins, async (ground) => {
    ({ difference } = await compareTwins(ground, testCase));
  });
  return difference;
}

function queries({ twins, testCase }: FoundCase): Smaller[] {
  return smallerJson(testCase.query).map((query) => ({ twins, testCase: { ...testCase, query } }));
}

/** The JSON without one of its parts, wherever it is; of a group also one of its conditions alone. */
function smallerJson(json: unknown): unknown[] {
  if (Array.isArray(json)) {
    const parts: readonly unknown[] = json;
    const fewer = parts.length > 1 ? parts.map((_, at) => parts.filter((__, i) => i !== at)) : [];
    const smaller = parts.flatMap((part, at) =>
      smallerJson(part).map((one) => parts.map((other, i) => (i === at ? one : other))),
    );
    return [...fewer, ...smaller];
  }
  if (typeof json !== 'object' || json === null) return [];
  const entries = Object.entries(json);
  const alone: unknown[] =
    'conditions' in json && Array.isArray(json.conditions) ? json.conditions : [];
  const fewer = entries.map(([key]) =>
    Object.fromEntries(entries.filter(([other]) => other !== key)),
  );
  const smaller = entries.flatMap(([key, value]) =>
    smallerJson(value).map((one) => ({ ...json, [key]: one })),
  );
  return [...fewer, ...alone, ...smaller];
}

function withoutTables({ twins, testCase }: FoundCase): Smaller[] {
  return twins.tables.flatMap(({ name, view }) => {
    const isBase = view === undefined && twins.tables.some((one) => one.name === `${name} view`);
    if (isBase) return [];
    const tables = twins.tables.filter((one) => one.name !== name);
    return [{ twins: { ...twins, tables }, testCase }];
  });
}

/** The twins with one field that is the same in both, and readable. */
function alikeFields({ twins, testCase }: FoundCase): Smaller[] {
  return twins.tables.flatMap(({ name, dataset, fields, rows }) =>
    fields.flatMap((field, at): Smaller[] => {
      const key = visibilityKey(dataset, field.name);
      const others = twins.otherRows[name];
      const isCopied = fields.some(({ copyOf }) => copyOf === field.name);
      if (others === undefined || field.copyOf !== undefined || isCopied) return [];
      if (twins.differences[key]?.of === 'nothing') return [];
      const otherRows = {
        ...twins.otherRows,
        [name]: others.map((row, i) =>
          row.map((cell, j) => (j === at ? (rows[i]?.[j] ?? null) : cell)),
        ),
      };
      const keys = [key, visibilityKey(`${name} view`, field.name)];
      const opened = Object.fromEntries(keys.map((one) => [one, { of: 'nothing' as const }]));
      const visibilities = Object.fromEntries(
        Object.entries(testCase.visibilities).filter(([one]) => !keys.includes(one)),
      );
      return [
        {
          twins: { ...twins, otherRows, differences: { ...twins.differences, ...opened } },
          testCase: { ...testCase, visibilities },
        },
      ];
    }),
  );
}

function withoutRows({ twins, testCase }: FoundCase): Smaller[] {
  return twins.tables.flatMap(({ name, rows, view }) => {
    if (view !== undefined) return [];
    return rows.map((_, at): Smaller => {
      const isKept = (__: unknown, i: number) => i !== at;
      const tables = twins.tables.map((one) =>
        one.name === name || one.name === `${name} view`
          ? { ...one, rows: one.rows.filter(isKept) }
          : one,
      );
      const otherRows = {
        ...twins.otherRows,
        [name]: (twins.otherRows[name] ?? []).filter(isKept),
      };
      const order = (twins.orders[name] ?? []).filter((i) => i !== at);
      const orders = { ...twins.orders, [name]: order.map((i) => (i > at ? i - 1 : i)) };
      return { twins: { ...twins, tables, otherRows, orders }, testCase };
    });
  });
}
