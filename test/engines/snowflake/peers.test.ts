import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readCaseFiles } from '../../aql/aql-fixtures.js';

// npm ci --prefix test/engines/snowflake/peers
const PEERS = new URL('./peers/node_modules/', import.meta.url);
const isThere = existsSync(fileURLToPath(PEERS));
const title = isThere ? '' : ' (skipped: npm ci --prefix test/engines/snowflake/peers)';

interface Parser {
  init(): Promise<void>;
  parse(sql: string, dialect: string): { success: boolean; error?: string };
}

interface Connection {
  run(sql: string): Promise<unknown>;
  runAndReadAll(sql: string, values?: unknown[]): Promise<{ getRowsJson(): unknown[][] }>;
}

interface Duckdb {
  DuckDBInstance: { create(path: string): Promise<{ connect(): Promise<Connection> }> };
}

const load = <T>(path: string): Promise<T> => import(new URL(path, PEERS).href);

const golden = readCaseFiles().flatMap(({ content }) =>
  content.cases.flatMap(({ name, snowflake }) => (snowflake ? [{ name, ...snowflake }] : [])),
);

describe.skipIf(!isThere)(`the SQL of every case on Snowflake${title}`, () => {
  it('is read by a parser of its grammar', async () => {
    const parser = await load<Parser>('@polyglot-sql/sdk/dist/index.node.js');
    await parser.init();
    expect(parser.parse('SELECT 1 FROM WHERE (', 'snowflake').success).toBe(false);
    const refused = golden.filter(({ sql }) => !parser.parse(sql, 'snowflake').success);
    expect(refused.map(({ name }) => name)).toEqual([]);
  });
});

/** What DuckDB calls otherwise. It has no collation of code points to name, since that is what it has. */
const MACROS = `
  CREATE MACRO sf_collate(x, name) AS x;
  CREATE MACRO to_varchar(x) AS CAST(x AS VARCHAR);
  CREATE MACRO sha2(x, size) AS sha256(x);
  CREATE MACRO to_date(x, form) AS CAST(x AS DATE);
  CREATE MACRO to_time(x, form) AS CAST(x AS TIME);
  CREATE MACRO to_timestamp_ntz(x, form) AS CAST(x AS TIMESTAMP);
  CREATE MACRO to_timestamp_tz(x, form) AS CAST(x AS TIMESTAMPTZ);
  CREATE MACRO to_binary(x, form) AS unhex(x);`;

const TABLES = `
  CREATE SCHEMA "public"; CREATE SCHEMA "crm"; CREATE SCHEMA "sch""ema";
  CREATE TABLE "public"."customers" ("id" BIGINT, "email" VARCHAR, "code" VARCHAR, "country" VARCHAR,
    "balance" DECIMAL(12, 2), "score" DOUBLE, "active" BOOLEAN, "born" DATE, "wakes" TIME, "created_at" TIMESTAMPTZ,
    "seen_at" TIMESTAMP, "token" VARCHAR, "avatar" BLOB, "prefs" JSON, "labels" VARCHAR[], "status" VARCHAR, "address" VARCHAR);
  INSERT INTO "public"."customers" ("id", "email", "code", "country", "balance", "status") VALUES
    (1, 'ann@acme.test', 'c1', 'US', 12.50, 'new'), (2, 'a_b', 'C2', NULL, 100, 'closed'), (3, NULL, 'c3', 'us', 0, NULL),
    (4, 'naïve🦆', 'ä', 'US', -0.10, 'old');
  CREATE TABLE "public"."orders" ("id" BIGINT, "customer_id" BIGINT, "amount" DECIMAL(12, 2), "note" VARCHAR);
  INSERT INTO "public"."orders" VALUES (10, 1, 10.25, 'n'), (11, 1, 2.30, NULL), (12, 2, 1.00, 'm'), (13, NULL, 5, 'x');
  CREATE TABLE "public"."order_lines" ("order_id" BIGINT, "line" BIGINT, "sku" VARCHAR);
  CREATE TABLE "public"."visits" ("customer_id" BIGINT, "page" VARCHAR, "weight" DOUBLE, "cost" DECIMAL(12, 2));
  INSERT INTO "public"."visits" VALUES (1, 'p', 0.5, 1.50), (2, 'q', 0.25, 2.00), (2, 'r', NULL, NULL);
  CREATE TABLE "crm"."accounts" ("id" BIGINT, "owner" VARCHAR);
  INSERT INTO "crm"."accounts" VALUES (1, 'ann@acme.test'), (9, 'ANN@ACME.TEST');
  CREATE TABLE "sch""ema"."ta'ble" ("i""d" BIGINT, "Robert""); DROP TABLE x; --" VARCHAR);`;

function asDuckdb(sql: string): string {
  return sql
    .replaceAll('COLLATE(', 'sf_collate(')
    .replaceAll('NUMBER(', 'DECIMAL(')
    .replaceAll('AS FLOAT', 'AS DOUBLE')
    .replaceAll('AS ARRAY', 'AS VARCHAR[]')
    .replaceAll("ESCAPE '\\\\'", "ESCAPE '\\'");
}

const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');

/** Rows of some cases, by hand, from the tables above. */
const EXPECTED: Record<string, unknown[][]> = {
  'partial keeps three characters of at least six, and NULL': [
    ['1', 'ann****'],
    ['2', '****'],
    ['3', null],
    ['4', 'naï****'],
  ],
  'a number is hashed as its canonical decimal text': [
    ['1', sha256('12.5')],
    ['2', sha256('100')],
    ['3', sha256('0')],
    ['4', sha256('-0.1')],
  ],
  'the primary key enters the derived table for the order alone': [
    [sha256('ann@acme.test')],
    [sha256('a_b')],
    [null],
    [sha256('naïve🦆')],
  ],
  'patterns are case-sensitive, with the backslash as their escape': [['2']],
  'requested keys come first, NULL counts as the largest': [['a_b'], [null], ['ann@acme.test']],
  'having takes an alias or FUNC(field), also of an aggregate that is not selected': [
    ['1', '12.55'],
  ],
  'tokens of one classification join on raw equality': [['1', '1', 'ann@acme.test']],
};

describe.skipIf(!isThere)(`the same SQL in DuckDB, for plausibility${title}`, () => {
  it('runs, and answers what was worked out by hand', async () => {
    const { DuckDBInstance } = await load<Duckdb>('@duckdb/node-api/lib/index.js');
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    await connection.run(MACROS + TABLES);
    const answers: Record<string, unknown[][]> = {};
    for (const { name, sql, params = [] } of golden) {
      // DuckDB sorts and reduces lists in other words.
      if (sql.includes('REDUCE(')) continue;
      const result = await connection.runAndReadAll(asDuckdb(sql), params);
      answers[name] = result.getRowsJson();
    }
    expect(Object.keys(answers).length).toBeGreaterThan(50);
    expect(answers).toMatchObject(EXPECTED);
  });
});
