import { describe, expect, it } from 'vitest';
import { renderDriftText } from '../../src/schema/drift-report.js';
import { SCAN_GROUNDS, type ScanGround } from './scan-grounds.js';

type EngineName = keyof typeof SCAN_GROUNDS;

interface Step {
  what: string;
  /** Per engine where they differ; null where the engine has no such thing. */
  sql: string | Record<EngineName, string | null>;
  /** The lines of the report between its head and its summary, `SCHEMA` for the ground's own. */
  says: string | Partial<Record<EngineName, string>>;
}

const SWAPPED_PLACES = `
~ dataset: customers
    ~ field: city (position 3 -> position 2) [PII]   uncovered
    ~ field: email (position 2 -> position 3) [PII]  uncovered`;

const STORY: readonly Step[] = [
  {
    what: 'a table is created',
    sql: `CREATE TABLE customers (id INTEGER PRIMARY KEY, email VARCHAR(90), city VARCHAR(90), first_name VARCHAR(90));`,
    says: `
+ dataset: customers
    + field: email (varchar) [PII]  NEW - requires policy
    + field: city (varchar) [PII]   NEW - requires policy
    + field: first_name (varchar) [PII]  NEW - requires policy
    + 1 more field, nothing sensitive found`,
  },
  {
    what: 'a column is added',
    sql: 'ALTER TABLE customers ADD COLUMN phone VARCHAR(90)',
    says: `
~ dataset: customers
    + field: phone (varchar) [PII]  NEW - requires policy`,
  },
  {
    what: 'a column is renamed',
    sql: 'ALTER TABLE customers RENAME COLUMN first_name TO remarks',
    says: `
~ dataset: customers
    ~ field: remarks (was first_name) [PII]  renamed - uncovered`,
  },
  {
    what: 'the names of two columns are swapped',
    sql: `ALTER TABLE customers RENAME COLUMN email TO x; ALTER TABLE customers RENAME COLUMN city TO email;
      ALTER TABLE customers RENAME COLUMN x TO city`,
    // PostgreSQL alone numbers its columns.
    says: {
      sqlite: SWAPPED_PLACES,
      mysql: SWAPPED_PLACES,
      postgres: `
~ dataset: customers
    ~ field: city (was email) [PII]  renamed - uncovered
    ~ field: email (was city) [PII]  renamed - uncovered`,
    },
  },
  {
    what: 'a column changes its type',
    sql: {
      sqlite: null,
      postgres: 'ALTER TABLE customers ALTER COLUMN phone TYPE text',
      mysql: 'ALTER TABLE customers MODIFY phone TEXT',
    },
    says: `
~ dataset: customers
    ~ field: phone (varchar -> text) [PII]  uncovered`,
  },
  {
    what: 'a column takes NULL no longer',
    sql: {
      sqlite: null,
      postgres: 'ALTER TABLE customers ALTER COLUMN city SET NOT NULL',
      mysql: 'ALTER TABLE customers MODIFY city VARCHAR(90) NOT NULL',
    },
    says: `
~ dataset: customers
    ~ field: city (nullable -> not null) [PII]  uncovered`,
  },
  {
    what: 'a comment is changed',
    sql: {
      sqlite: null,
      postgres: `COMMENT ON COLUMN customers.city IS 'sk_live_in_a_comment'`,
      mysql: `ALTER TABLE customers MODIFY city VARCHAR(90) NOT NULL COMMENT 'sk_live_in_a_comment'`,
    },
    says: `
~ dataset: customers
    ~ field: city (no comment -> a comment) [PII]  uncovered`,
  },
  {
    what: 'a view is added',
    sql: 'CREATE VIEW reachable AS SELECT id, phone FROM customers',
    says: `
+ dataset: reachable
    + field: id (integer) [high]                NEW - requires policy
    + field: phone (PHONE) [PII, high]          NEW - requires policy`,
  },
  {
    what: 'the view is defined anew',
    sql: {
      sqlite:
        'DROP VIEW reachable; CREATE VIEW reachable AS SELECT id, phone FROM customers WHERE id > 7',
      postgres: 'CREATE OR REPLACE VIEW reachable AS SELECT id, phone FROM customers WHERE id > 7',
      mysql: 'CREATE OR REPLACE VIEW reachable AS SELECT id, phone FROM customers WHERE id > 7',
    },
    says: `
~ dataset: reachable
    ~ redefined: view -> another definition`,
  },
  {
    what: 'the table is renamed',
    sql: 'DROP VIEW reachable; ALTER TABLE customers RENAME TO clients',
    says: `
~ dataset: customers
    ~ renamed: SCHEMA.customers -> SCHEMA.clients
- dataset: reachable                               no longer there`,
  },
  {
    what: 'a column is dropped',
    sql: 'ALTER TABLE clients DROP COLUMN phone',
    says: `
~ dataset: customers
    - field: phone (PHONE)`,
  },
  {
    what: 'the table is dropped',
    sql: 'DROP TABLE clients',
    says: `
- dataset: customers  no longer there`,
  },
];

/** The report without its first line, its summary, and what the width of columns makes of it. */
function reportOf(text: string, schema: string): string {
  const lines = text.split('\n').slice(1, -2);
  return lines
    .join('\n')
    .trim()
    .replaceAll(schema, 'SCHEMA')
    .replace(/(\S) {2,}/g, '$1  ');
}

for (const [engine, ground] of Object.entries(SCAN_GROUNDS)) {
  describe.skipIf(ground.reason)(`drift on ${engine} ${ground.reason ?? ''}`, () => {
    it(
      'is told once, in words, for everything that can happen to a table',
      { timeout: 60_000 },
      () =>
        ground.with(async (db: ScanGround) => {
          await db.scan({ apply: true });
          for (const { what, sql, says } of STORY) {
            const statement = typeof sql === 'string' ? sql : sql[engine as EngineName];
            if (statement === null) continue;
            await db.run(statement);
            const found = await db.scan();
            const schema = found.report.drift.find(({ from }) => from?.includes('.'))?.from ?? '';
            const expected = typeof says === 'string' ? says : (says[engine as EngineName] ?? '');
            const phone = engine === 'sqlite' ? 'varchar' : 'text';
            expect(
              reportOf(renderDriftText(found.report), schema.split('.')[0] || '\0'),
              what,
            ).toBe(
              expected
                .trim()
                .replaceAll('PHONE', phone)
                .replace(/(\S) {2,}/g, '$1  '),
            );
            expect((await db.scan({ apply: true })).report.drift, what).toHaveLength(
              found.report.drift.length,
            );
            const written = await db.files();
            const again = await db.scan({ apply: true });
            expect([again.report.drift, again.written], what).toEqual([[], []]);
            expect(await db.files(), what).toBe(written);
            expect(written, what).not.toContain('sk_live');
          }
        }),
    );
  });
}
