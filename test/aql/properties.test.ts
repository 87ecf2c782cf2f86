import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildPlan } from '../../src/aql/build-plan.js';
import { createCatalog } from '../../src/aql/catalog.js';
import { expandStar } from '../../src/aql/expand-star.js';
import { parseAql } from '../../src/aql/parse-aql.js';
import type { CompiledQuery } from '../../src/aql/plan.js';
import { renderPlan } from '../../src/aql/render.js';
import { resolveAql } from '../../src/aql/resolve.js';
import type { FieldVisibility } from '../../src/aql/visibility.js';
import { bigqueryDialect } from '../../src/engines/bigquery/dialect.js';
import { mysqlDialect } from '../../src/engines/mysql/dialect.js';
import { postgresDialect } from '../../src/engines/postgres/dialect.js';
import { sqliteDialect } from '../../src/engines/sqlite/dialect.js';
import { MASK_METHODS, type Mask } from '../../src/masking/index.js';
import { plainTokens, registryOf } from './aql-fixtures.js';
import { almostAql } from './arbitrary-aql.js';
import { FOREIGN, plannableAql } from './plannable-aql.js';

const DIALECTS = [postgresDialect, sqliteDialect, mysqlDialect, bigqueryDialect];

const catalog = createCatalog(
  registryOf([
    {
      name: 'people',
      datasource: 'd',
      table: { schema: 'public', name: 'people' },
      primary_key: ['id'],
      unique_keys: [['mail']],
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
  ]),
);
const FIELDS = [
  'people.id',
  'people.mail',
  'people.name',
  'people.size',
  'people.ratio',
  'visits.person',
  'visits.page',
];

const mask: fc.Arbitrary<Mask> = fc
  .constantFrom(...MASK_METHODS)
  .map((method) =>
    method === 'partial' ? { method, prefix: 3, suffix: 0, minLength: 6 } : { method },
  );
const visibilities = fc.dictionary(fc.constantFrom(...FIELDS), mask);

interface Planned {
  dialect: string;
  compiled: CompiledQuery;
  masked: string[];
}

/** The query in each dialect that does not refuse it; identifiers stand in double quotes, whatever the dialect writes. */
function compile(query: unknown, masks: Record<string, Mask>): Planned[] {
  const parsed = parseAql(query);
  if ('problems' in parsed) return [];
  const visibility = (dataset: string, field: string): FieldVisibility => {
    const found = masks[`${dataset}.${field}`];
    return found === undefined ? { state: 'raw' } : { state: 'masked', mask: found };
  };
  const resolved = expandStar(resolveAql(parsed.aql, catalog), () => true);
  if (resolved.problems.length > 0 || resolved.unknown.length > 0) return [];
  return DIALECTS.flatMap((dialect) => {
    const planned = buildPlan({
      resolved,
      visibility,
      limits: { maxRows: null },
      tokens: plainTokens,
      dialect,
    });
    if ('problems' in planned) return [];
    const compiled = renderPlan(planned.plan, dialect);
    const sql = compiled.sql.replaceAll('`', '"');
    const masked = Object.keys(masks).map((name) => name.split('.')[1] ?? '');
    return [{ dialect: dialect.name, compiled: { ...compiled, sql }, masked }];
  });
}

/** What is left of the SQL outside of derived tables. */
function outside(sql: string): string {
  return sql.replace(/\(SELECT .*? AS "raw"\)/g, '(derived)');
}

describe('parseAql', () => {
  it('never throws, whatever the JSON', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue({ maxDepth: 6 }), almostAql), (input) => {
        const result = parseAql(input);
        expect('aql' in result || result.problems.length > 0).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('finds in a list of names what it finds in each by itself, at its place', () => {
    const entry = fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom('id', 'people.id', 'x'.repeat(1_024), 'é😀') },
      {
        weight: 1,
        arbitrary: fc.constantFrom('', 'a\0', '\ud800', 'x'.repeat(1_025), 5, null, []),
      },
    );
    const read = (columns: unknown[]) => parseAql({ source_table: 'people', columns });
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 6 }), (columns) => {
        const expected = columns.flatMap((name, index) => {
          const alone = read([name]);
          if ('aql' in alone) return [];
          return alone.problems.map((one) => ({ ...one, pointer: `/columns/${index}` }));
        });
        const together = read(columns);
        expect('problems' in together ? together.problems : []).toEqual(expected);
        if ('aql' in together) expect(together.aql.columns).toEqual(columns);
      }),
      { numRuns: 1_000 },
    );
  });

  it('reads its own normal form as the same', () => {
    fc.assert(
      fc.property(almostAql, (input) => {
        const result = parseAql(input);
        if ('aql' in result) expect(parseAql(result.aql)).toEqual(result);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a planned query', () => {
  it('has what the requester wrote among its parameters only', () => {
    let count = 0;
    fc.assert(
      fc.property(plannableAql, visibilities, (query, masks) => {
        for (const { compiled } of compile(query, masks)) {
          count += 1;
          expect(compiled.sql).not.toContain(FOREIGN);
          expect(compiled.sql).not.toContain('\0');
        }
      }),
      { numRuns: 1_000 },
    );
    expect(count).toBeGreaterThan(500);
  });

  it('has as many placeholders as parameters', () => {
    fc.assert(
      fc.property(plannableAql, visibilities, (query, masks) => {
        for (const { dialect, compiled } of compile(query, masks)) {
          const { sql, params } = compiled;
          if (dialect !== 'postgres' && dialect !== 'bigquery') {
            expect(sql.split('?').length - 1).toBe(params.length);
            continue;
          }
          const numbers = [...sql.matchAll(/(?:\$|@p)(\d+)/g)].map((match) => Number(match[1]));
          expect(new Set(numbers).size).toBe(params.length);
          expect(Math.max(0, ...numbers)).toBe(params.length);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('reads a raw table only inside a derived one, as far as it uses a masked field of it', () => {
    let derived = 0;
    fc.assert(
      fc.property(plannableAql, visibilities, (query, masks) => {
        for (const { compiled } of compile(query, masks)) {
          const rest = outside(compiled.sql);
          expect(rest).not.toContain('"raw"');
          if (rest.includes('(derived)')) derived += 1;
          // A dataset that stands there itself is asked for no field that is masked.
          for (const [, table, alias] of rest.matchAll(/"public"\."(\w+)" AS "(t\d+)"/g)) {
            for (const name of Object.keys(masks)) {
              const [dataset, field] = name.split('.');
              if (dataset === table) expect(rest).not.toContain(`"${alias}"."${field}"`);
            }
          }
        }
      }),
      { numRuns: 1_000 },
    );
    expect(derived).toBeGreaterThan(300);
  });

  it('projects a masked field only as its mask', () => {
    fc.assert(
      fc.property(plannableAql, visibilities, (query, masks) => {
        for (const { compiled } of compile(query, masks)) {
          for (const [inner] of compiled.sql.matchAll(/\(SELECT .*? AS "raw"\)/g)) {
            const table = /FROM "public"\."(\w+)" AS "raw"/.exec(inner)?.[1];
            for (const [name, { method }] of Object.entries(masks)) {
              const [dataset, field] = name.split('.');
              // A token's raw value is sealed instead: see check-sealed.test.ts.
              const isSealed = method === 'tokenize' && field !== 'ratio';
              if (dataset !== table || isSealed) continue;
              expect(inner).not.toContain(`"raw"."${field}" AS "${field}"`);
            }
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('ends in an order as soon as a field of its datasets is masked, but for one row of aggregates', () => {
    fc.assert(
      fc.property(plannableAql, (query) => {
        for (const { compiled } of compile(query, { 'people.ratio': { method: 'full' } })) {
          const isOneRow = !('columns' in query) && !('group_by' in query);
          if (isOneRow || !compiled.sql.includes('"people"')) return;
          expect(compiled.sql).toContain(' ORDER BY ');
        }
      }),
      { numRuns: 500 },
    );
  });
});
