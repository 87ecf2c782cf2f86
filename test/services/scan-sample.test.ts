import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { ENGINES } from '../../src/engines/index.js';
import { renderDriftMarkdown } from '../../src/schema/drift-markdown.js';
import { renderDriftText } from '../../src/schema/drift-report.js';
import { refuseSample } from '../../src/services/sample-tables.js';
import { findPostgres, withSchema } from '../helpers/postgres.js';
import { SCAN_GROUNDS, type ScanGround } from './scan-grounds.js';

const CARDS = ['4111111111111111', '5500 0000 0000 0004', '3400-000000-00009'];

/** Columns whose names say nothing, of which the values say a lot. */
const TABLE = `
  CREATE TABLE things (c1 VARCHAR(200), c2 VARCHAR(200), c3 VARCHAR(200), c4 VARCHAR(200), c5 VARCHAR(200),
    c6 BIGINT, c7 BIGINT, c8 VARCHAR(200), city VARCHAR(200), password VARCHAR(200), c9 VARCHAR(200));
  INSERT INTO things VALUES
    ('${CARDS[0]}', 'ada@example.com', 'DE89 3704 0044 0532 0130 00', '+44 20 7946 0958', '192.0.2.7',
     4111111111111111, 1, 'sold', 'Ulm', 'ada@example.com', NULL),
    ('${CARDS[1]}', 'bob@example.org', 'GB82WEST12345698765432', '+14155550132', '2001:db8::7',
     5500000000000004, 2, 'new', 'Bonn', 'b', NULL),
    ('${CARDS[2]}', 'none', 'FR14 2004 1010 0505 0001 3M02 606', '+4930123456', '10.0.0.1',
     340000000000009, 3, 'ghp_0123456789abcdefghijABCDEFGHIJ012345', 'Kiel', 'c', NULL);
  CREATE VIEW shown AS SELECT c1 AS d1 FROM things;`;

const RAW = [...CARDS, 'ada@example.com', '3704', 'WEST1234', '7946', '192.0.2.7', 'ghp_', 'Bonn'];

for (const [engine, ground] of Object.entries(SCAN_GROUNDS)) {
  describe.skipIf(ground.reason)(`--sample on ${engine} ${ground.reason ?? ''}`, () => {
    it('sets what values say where names say nothing, and keeps no value', () =>
      ground.with(async (db: ScanGround) => {
        await db.run(TABLE);
        const { report } = await db.scan({ sample: 50, apply: true });
        const tags = report.drift.flatMap(
          ({ dataset, field, classification, category, sensitivity }) =>
            dataset === 'things' && field !== undefined
              ? [[field, classification, category, sensitivity].join(' ')]
              : [],
        );
        expect(tags).toEqual([
          'c1 payment_card pci high',
          'c2 email pii medium',
          'c3 bank_account financial high',
          'c4 phone pii medium',
          'c5 ip_address pii medium',
          'c6 payment_card pci high',
          'c7  internal low',
          'c8 credential secrets high',
          'city postal_address pii medium',
          'password credential secrets high',
          'c9  internal low',
        ]);
        const because = (name: string) => report.drift.find(({ field }) => field === name)?.because;
        expect(because('c1')).toBe('3 of 3 sampled values pass Luhn (luhn)');
        expect(because('c2')).toBe('2 of 3 sampled values are e-mail addresses (email_value)');
        expect(because('d1')).not.toContain('sampled');
        expect(report.sample).toEqual({ rows: 50, tables: 1, failed: [] });
        const printed = [
          JSON.stringify(report),
          renderDriftText(report),
          renderDriftMarkdown([report]),
          await db.files(),
        ].join('\n');
        for (const value of RAW) expect(printed).not.toContain(value);
        expect(renderDriftText(report)).toContain('up to 50 rows of 1 table with new fields');
      }));

    it('reads at most so many rows, of new fields alone, and lowers nothing', () =>
      ground.with(async (db: ScanGround) => {
        await db.run(TABLE);
        const first = await db.scan({ sample: 1, apply: true });
        expect(first.report.drift.find(({ field }) => field === 'c1')?.because).toMatch(
          /^\d of 1 sampled value/,
        );
        const written = await db.files();
        const again = await db.scan({ sample: 50, apply: true });
        expect(again.report.drift).toEqual([]);
        expect(again.report.sample).toEqual({ rows: 50, tables: 0, failed: [] });
        expect(await db.files()).toBe(written);
      }));

    it('names a table that cannot be read, and classifies it by its names', () =>
      ground.with(async (db: ScanGround) => {
        if (engine === 'sqlite') {
          // Whatever a column of SQLite holds, it can be read.
          await db.run("CREATE TABLE odd (a TEXT); INSERT INTO odd VALUES (x'fffe'), (7), (NULL)");
          const { report } = await db.scan({ sample: 9 });
          expect(report.sample?.tables).toBe(1);
          return;
        }
        await db.run('CREATE TABLE slow (email VARCHAR(90), a VARCHAR(90))');
        await db.run(engine === 'postgres' ? 'BEGIN; LOCK TABLE slow' : 'LOCK TABLES slow WRITE');
        const { report } = await db.scan({ sample: 9 });
        expect(report.sample).toMatchObject({ tables: 0, failed: [{ code: 'query_timeout' }] });
        expect(report.drift.map(({ classification }) => classification)).toContain('email');
        expect(renderDriftText(report)).toMatch(/! not sampled: \S*slow \(query_timeout\)/);
        await db.run(engine === 'postgres' ? 'ROLLBACK' : 'UNLOCK TABLES');
      }));
  });
}

const server = await findPostgres();

describe.skipIf(server.url === null)(`without --sample ${server.reason ?? ''}`, () => {
  it('no row is read', () =>
    withSchema(server.url ?? '', async ({ schema, client }) => {
      const reads = async () => {
        await client.query('SELECT pg_stat_clear_snapshot()');
        const { rows } = await client.query(
          `SELECT sum(seq_scan + coalesce(idx_scan, 0))::int AS reads FROM pg_stat_user_tables WHERE schemaname = $1`,
          [schema],
        );
        return rows[0]?.reads;
      };
      await client.query(`CREATE TABLE ${schema}.t (id int PRIMARY KEY, c1 text)`);
      await client.query(`INSERT INTO ${schema}.t VALUES (1, '4111111111111111')`);
      await SCAN_GROUNDS.postgres.with(async (db) => {
        const path = `${db.root}/config/datasources/db.yaml`;
        const text = await readFile(path, 'utf8');
        await writeFile(path, text.replace(/include: .*/, `include: ["${schema}.*"]`));
        const before = await reads();
        expect((await db.scan({ apply: true })).report.tables).toBe(1);
        // What a connection counted is known to all at the latest when it has ended.
        await new Promise((resolve) => setTimeout(resolve, 200));
        expect(await reads()).toBe(before);
        await client.query(`ALTER TABLE ${schema}.t ADD COLUMN c2 text`);
        await client.query('SELECT 1');
        const between = await reads();
        expect((await db.scan({ sample: 5 })).report.sample?.tables).toBe(1);
        await expect.poll(reads, { timeout: 5_000 }).toBeGreaterThan(between);
      });
    }));
});

it('is refused for an engine that reads whole columns for it', () => {
  expect(() => refuseSample(ENGINES.bigquery)).toThrow('BigQuery cannot be sampled');
  for (const engine of [ENGINES.postgres, ENGINES.mysql, ENGINES.sqlite]) refuseSample(engine);
});
