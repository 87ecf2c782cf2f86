// AQL to SQL beside Kysely compiling the same query. Both sides start from the JSON of a request and end with SQL and bound
// values: vkit checks the query, looks its names up, sees to masks and limits and writes it; Kysely is told what to write
// by calls, with names that are ready for it. It is bundled before it runs, as vkit is where it is used: `tsx` would give
// every function of ours its name at every call.
import {
  DummyDriver,
  Kysely,
  type CompiledQuery as KyselyQuery,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from 'kysely';
import { buildPlan } from '../src/aql/build-plan.js';
import { type Catalog, createCatalog } from '../src/aql/catalog.js';
import { parseAql } from '../src/aql/parse-aql.js';
import type { CompiledQuery } from '../src/aql/plan.js';
import { renderPlan } from '../src/aql/render.js';
import { resolveAql } from '../src/aql/resolve.js';
import type { FieldVisibility } from '../src/aql/visibility.js';
import { postgresDialect } from '../src/engines/postgres/dialect.js';

const COLUMNS = [10, 50, 100, 500];
const RATIO_MIN = 5;
/** From 10 to 500 columns, what a column costs may rise by this: noise, and no more. */
const PER_COLUMN_MAX = 1.1;
/** Sides and sizes take turns, so that what else the machine does hits all of them; the first turns warm up. */
const TURNS = 12;
const WARM_UP_TURNS = 4;
const TURN_MS = 120;

const names = (count: number) => Array.from({ length: count }, (_, index) => `column_${index}`);

/** Two tables of so many columns. */
const catalogOf = (count: number) =>
  createCatalog({
    registry: {
      datasources: [],
      datasets: ['people', 'orders'].map((name) => ({
        name,
        datasource: 'shop',
        table: { schema: 'public', name },
        kind: 'table',
        primary_key: ['column_0'],
        fields: names(count).map((field, index) => ({
          name: field,
          type: index % 2 === 0 ? 'integer' : 'text',
          sensitivity: 'low',
          position: index + 1,
          nullable: false,
        })),
      })),
    },
  });

/** A join, five conditions, an order and a limit over so many columns, as JSON. */
function aqlText(count: number): string {
  return JSON.stringify({
    source_table: 'people',
    columns: names(count).map((name) => `people.${name}`),
    joins: [
      {
        type: 'LEFT',
        table: 'orders',
        alias: 'o',
        left_field: 'people.column_0',
        right_field: 'o.column_2',
      },
    ],
    filters: [
      { operator: 'gt', field: 'people.column_0', value: 10 },
      { operator: 'lte', field: 'people.column_2', value: 99 },
      { operator: 'neq', field: 'people.column_4', value: 7 },
      { operator: 'in', field: 'people.column_6', value: [1, 2, 3, 4] },
      { operator: 'is_not_null', field: 'o.column_8' },
    ],
    order_by: [{ column: 'people.column_0', direction: 'DESC' }],
    limit: 100,
    offset: 20,
  });
}

const RAW: FieldVisibility = { state: 'raw' };

function vkit(text: string, catalog: Catalog): CompiledQuery {
  const parsed = parseAql(JSON.parse(text));
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const resolved = resolveAql(parsed.aql, catalog);
  const planned = buildPlan({ resolved, visibility: () => RAW, limits: { maxRows: null } });
  if ('problems' in planned) throw new Error(JSON.stringify(planned.problems));
  return renderPlan(planned.plan, postgresDialect);
}

// biome-ignore lint/suspicious/noExplicitAny: the tables have as many columns as the bench asks for.
const db = new Kysely<any>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (own) => new PostgresIntrospector(own),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
});

/** The query's own values; its names as Kysely takes them. */
function kysely(text: string, columns: readonly string[]): KyselyQuery {
  const { filters, limit, offset } = JSON.parse(text);
  return db
    .selectFrom('public.people as t1')
    .leftJoin('public.orders as t2', 't1.column_0', 't2.column_2')
    .select(columns.map((name) => `t1.${name} as ${name}`))
    .where('t1.column_0', '>', filters[0].value)
    .where('t1.column_2', '<=', filters[1].value)
    .where('t1.column_4', '<>', filters[2].value)
    .where('t1.column_6', 'in', filters[3].value)
    .where('t2.column_8', 'is not', null)
    .orderBy('t1.column_0', (order) => order.desc().nullsFirst())
    .limit(limit)
    .offset(offset)
    .compile();
}

const sizes = COLUMNS.map((count) => {
  const text = aqlText(count);
  const columns = names(count);
  const catalog = catalogOf(count);
  return {
    count,
    sides: [
      side(() => vkit(text, catalog)),
      side(() => kysely(text, columns)),
      side(() => JSON.parse(text)),
    ],
  };
});
for (let turn = 0; turn < TURNS; turn += 1) {
  for (const { sides } of sizes) {
    for (const { call, micros } of sides) {
      const one = measure(call);
      if (turn >= WARM_UP_TURNS) micros.push(one);
    }
  }
}

let reached = true;
const perColumn: number[] = [];
for (const { count, sides } of sizes) {
  const [own = Number.NaN, theirs = Number.NaN, json = Number.NaN] = sides.map(({ micros }) =>
    median(micros),
  );
  perColumn.push(own / count);
  const ratio = theirs / own;
  reached &&= ratio >= RATIO_MIN;
  console.log(
    `${String(count).padStart(3)} columns: vkit ${own.toFixed(1).padStart(6)} µs, ` +
      `Kysely ${theirs.toFixed(1).padStart(6)} µs, ${ratio.toFixed(1)} times as fast; ` +
      `of each ${json.toFixed(1)} µs are JSON, ${((theirs - json) / (own - json)).toFixed(1)} times without`,
  );
}
const rise = (perColumn.at(-1) ?? Number.NaN) / (perColumn[0] ?? Number.NaN);
console.log(
  `a column of 500 costs ${rise.toFixed(2)} of one of 10 (at most ${PER_COLUMN_MAX}); ` +
    `at least ${RATIO_MIN} times as fast is the aim`,
);
process.exitCode = reached && rise <= PER_COLUMN_MAX ? 0 : 1;

function side(call: () => unknown): { call: () => unknown; micros: number[] } {
  return { call, micros: [] };
}

/** Microseconds of one call. */
function measure(call: () => unknown): number {
  const startedAt = performance.now();
  let calls = 0;
  do {
    for (let index = 0; index < 20; index += 1) call();
    calls += 20;
  } while (performance.now() - startedAt < TURN_MS);
  return ((performance.now() - startedAt) * 1_000) / calls;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
