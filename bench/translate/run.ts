import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from 'kysely';
import { buildPlan } from '../../src/aql/build-plan.js';
import { type Catalog, createCatalog } from '../../src/aql/catalog.js';
import { parseAql } from '../../src/aql/parse-aql.js';
import { renderPlan } from '../../src/aql/render.js';
import { resolveAql } from '../../src/aql/resolve.js';
import type { FieldVisibility } from '../../src/aql/visibility.js';
import { postgresDialect } from '../../src/engines/postgres/dialect.js';

const COLUMNS = [10, 50, 100, 500];
const RATIO_MIN = 5;
/** From 10 to 500 columns, what a column costs may rise by this: noise, and no more. */
const PER_COLUMN_MAX = 1.1;
const ROUNDS = 9;
const ROUND_MS = 150;

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

function vkit(text: string, catalog: Catalog): string {
  const parsed = parseAql(JSON.parse(text));
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const resolved = resolveAql(parsed.aql, catalog);
  const planned = buildPlan({ resolved, visibility: () => RAW, limits: { maxRows: null } });
  if ('problems' in planned) throw new Error(JSON.stringify(planned.problems));
  return renderPlan(planned.plan, postgresDialect).sql;
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

function kysely(columns: readonly string[]): string {
  return db
    .selectFrom('public.people as t1')
    .leftJoin('public.orders as t2', 't1.column_0', 't2.column_2')
    .select(columns.map((name) => `t1.${name} as ${name}`))
    .where('t1.column_0', '>', 10)
    .where('t1.column_2', '<=', 99)
    .where('t1.column_4', '<>', 7)
    .where('t1.column_6', 'in', [1, 2, 3, 4])
    .where('t2.column_8', 'is not', null)
    .orderBy('t1.column_0', (order) => order.desc().nullsFirst())
    .limit(100)
    .offset(20)
    .compile().sql;
}

/** Microseconds of one call: the median over rounds in which the sides take turns. */
export function run(): boolean {
  let reached = true;
  const perColumn: number[] = [];
  for (const count of COLUMNS) {
    const text = aqlText(count);
    const columns = names(count);
    const catalog = catalogOf(count);
    const sides = [() => vkit(text, catalog), () => kysely(columns)];
    const times = sides.map(() => [] as number[]);
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const [side, call] of sides.entries()) {
        const micros = measure(call);
        // The first round warms up.
        if (round > 0) times[side]?.push(micros);
      }
    }
    const [own = Number.NaN, theirs = Number.NaN] = times.map(median);
    perColumn.push(own / count);
    const ratio = theirs / own;
    reached &&= ratio >= RATIO_MIN;
    console.log(
      `${String(count).padStart(3)} columns: vkit ${own.toFixed(1).padStart(7)} µs, ` +
        `Kysely ${theirs.toFixed(1).padStart(7)} µs, ${ratio.toFixed(1)} times as fast`,
    );
  }
  const rise = (perColumn.at(-1) ?? Number.NaN) / (perColumn[0] ?? Number.NaN);
  console.log(`a column of 500 costs ${rise.toFixed(2)} of one of 10 (at most ${PER_COLUMN_MAX})`);
  return reached && rise <= PER_COLUMN_MAX;
}

function measure(call: () => string): number {
  const startedAt = performance.now();
  let calls = 0;
  do {
    for (let index = 0; index < 20; index += 1) call();
    calls += 20;
  } while (performance.now() - startedAt < ROUND_MS);
  return ((performance.now() - startedAt) * 1_000) / calls;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
