import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** A schema of its own in the database of the bench, dropped at the end. */
export interface BenchGround {
  url: string;
  schema: string;
  drop(): Promise<void>;
}

/** Rows of the table that is fetched from, and of the one that is streamed. */
const FETCHED_ROWS = 100_000;
export const STREAMED_ROWS = 1_000_000;

const COLUMNS = `
  id bigint primary key, email text not null, name text not null, country text, balance numeric(12, 2),
  created_at timestamptz not null, active boolean not null, note text`;

const rows = (count: number) => `
  select n, 'person' || n || '@example.com', 'Name ' || (n % 1000), case when n % 7 = 0 then null else 'DE' end,
    (n % 100000) / 100.0, timestamptz '2026-01-01 00:00:00Z' + n * interval '1 second', n % 3 = 0,
    'A note of some length about person ' || n
  from generate_series(1, ${count}) n`;

/** Makes and fills the tables `people` and `events`. */
export async function openGround(url: string): Promise<BenchGround> {
  const schema = `vkit_bench_${randomBytes(6).toString('hex')}`;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`create schema ${schema}; set search_path to ${schema}`);
  await client.query(`create table people (${COLUMNS}); insert into people ${rows(FETCHED_ROWS)}`);
  await client.query(`create table events (${COLUMNS}); insert into events ${rows(STREAMED_ROWS)}`);
  await client.query('vacuum analyze people');
  await client.query('vacuum analyze events');
  return {
    url,
    schema,
    async drop() {
      await client.query(`drop schema ${schema} cascade`);
      await client.end();
    },
  };
}
