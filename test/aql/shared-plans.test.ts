import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildPlan } from '../../src/aql/build-plan.js';
import { type Catalog, createCatalog } from '../../src/aql/catalog.js';
import { expandStar } from '../../src/aql/expand-star.js';
import { parseAql } from '../../src/aql/parse-aql.js';
import { renderPlan } from '../../src/aql/render.js';
import { resolveAql } from '../../src/aql/resolve.js';
import { bigqueryDialect } from '../../src/engines/bigquery/dialect.js';
import { mysqlDialect } from '../../src/engines/mysql/dialect.js';
import { postgresDialect } from '../../src/engines/postgres/dialect.js';
import { snowflakeDialect } from '../../src/engines/snowflake/dialect.js';
import { sqliteDialect } from '../../src/engines/sqlite/dialect.js';
import { MASK_METHODS, type Mask } from '../../src/masking/index.js';
import { plainTokens, registryOf } from './aql-fixtures.js';
import { plannableAql } from './plannable-aql.js';

const DIALECTS = [postgresDialect, sqliteDialect, mysqlDialect, bigqueryDialect, snowflakeDialect];

const registry = registryOf([
  {
    name: 'people',
    datasource: 'd',
    table: { schema: 'public', name: 'people' },
    primary_key: ['id'],
    fields: [
      ['id', 'integer'],
      ['mail', 'text'],
      ['name', 'varchar'],
      ['size', 'numeric'],
      ['ratio', 'double'],
    ],
  },
  {
    name: 'visits',
    datasource: 'd',
    table: { schema: 'public', name: 'visits' },
    fields: [
      ['person', 'integer'],
      ['page', 'text'],
    ],
  },
]);
const FIELDS = ['people.id', 'people.mail', 'people.name', 'people.size', 'visits.page'];

const mask: fc.Arbitrary<Mask> = fc.oneof(
  fc.constantFrom(...MASK_METHODS.filter((method) => method !== 'partial')).map((method) => ({
    method,
  })),
  fc.record({
    method: fc.constant('partial' as const),
    prefix: fc.nat(2),
    suffix: fc.nat(2),
    minLength: fc.nat(4),
  }),
);
const masks = fc.dictionary(fc.constantFrom(...FIELDS), mask);

/** Every dialect's SQL, or why there is none. */
function translate(query: unknown, masked: Record<string, Mask>, catalog: Catalog): unknown[] {
  const parsed = parseAql(query);
  if ('problems' in parsed) return parsed.problems;
  const resolved = expandStar(resolveAql(parsed.aql, catalog), () => true);
  if (resolved.problems.length > 0 || resolved.unknown.length > 0) {
    return [resolved.problems, resolved.unknown];
  }
  return DIALECTS.map((dialect) => {
    const planned = buildPlan({
      resolved,
      visibility: (dataset, field) => {
        const found = masked[`${dataset}.${field}`];
        return found === undefined ? { state: 'raw' } : { state: 'masked', mask: found };
      },
      limits: { maxRows: null },
      tokens: plainTokens,
      dialect,
    });
    return 'problems' in planned ? planned.problems : renderPlan(planned.plan, dialect);
  });
}

describe('plans of one catalog', () => {
  it('share what says nothing of the query: after other queries and masks, each is as of a new catalog', () => {
    const shared = createCatalog(registry);
    fc.assert(
      fc.property(plannableAql, masks, masks, (query, one, other) => {
        translate(query, other, shared);
        expect(translate(query, one, shared)).toEqual(
          translate(query, one, createCatalog(registry)),
        );
      }),
      { numRuns: 1_000 },
    );
  });

  it('remember few masks of a field, and take any number of them', () => {
    const shared = createCatalog(registry);
    const query = { source_table: 'people', columns: ['mail'] };
    for (let prefix = 0; prefix < 40; prefix += 1) {
      const masked = { 'people.mail': { method: 'partial', prefix, suffix: 0, minLength: 50 } };
      const [postgres] = translate(query, masked as Record<string, Mask>, shared);
      const shown = prefix === 0 ? [] : [`pg_catalog.left("raw"."mail", ${prefix})`];
      const { sql } = postgres as { sql: string };
      expect(sql.match(/pg_catalog\.left\([^)]*\)/g) ?? []).toEqual(shown);
    }
  });
});

describe('a qualified name', () => {
  const nested = createCatalog(
    registryOf([
      {
        name: 'shop',
        datasource: 'd',
        table: { schema: '', name: 'shop' },
        fields: [
          ['orders.id', 'integer'],
          ['id', 'integer'],
        ],
      },
      {
        name: 'shop.orders',
        datasource: 'd',
        table: { schema: '', name: 'orders' },
        fields: [
          ['id', 'integer'],
          ['shop', 'integer'],
        ],
      },
    ]),
  );

  it('goes to the longest prefix, whichever dataset comes first', () => {
    for (const [source, table] of [
      ['shop', 'shop.orders'],
      ['shop.orders', 'shop'],
    ]) {
      const parsed = parseAql({
        source_table: source,
        columns: ['shop.orders.id', 'SHOP.Orders.shop', 'shop.id'],
        joins: [{ table, left_field: 'shop.id', right_field: 'shop.orders.shop' }],
      });
      if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
      const { columns, unknown, problems } = resolveAql(parsed.aql, nested);
      const found = columns.map((column) =>
        'ref' in column ? `${column.ref.dataset}/${column.ref.field}` : '*',
      );
      expect({ found, unknown, problems }).toEqual({
        found: ['shop.orders/id', 'shop.orders/shop', 'shop/id'],
        unknown: [],
        problems: [],
      });
    }
  });
});
