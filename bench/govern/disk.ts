import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';

/** About what one audit record takes. */
const RECORD = Buffer.alloc(1_024, 'r');

/** Durable commits that a disk allows one by one: a write of a record at the end of a file, and its fdatasync. */
export function commitsPerSecond(folder: string, seconds: number): number {
  const file = openSync(join(folder, 'commits'), 'w');
  let commits = 0;
  const startedAt = performance.now();
  const until = startedAt + seconds * 1_000;
  while (performance.now() < until) {
    writeSync(file, RECORD);
    fdatasyncSync(file);
    commits += 1;
  }
  const took = (performance.now() - startedAt) / 1_000;
  closeSync(file);
  return commits / took;
}

/** Rows of a size of one record that one connection to PostgreSQL commits in a second, one after the other. */
export async function postgresCommitsPerSecond(url: string, seconds: number): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const text = "select pg_logical_emit_message(true, 'bench', $1)";
    const until = performance.now() + seconds * 1_000;
    let commits = 0;
    while (performance.now() < until) {
      await client.query({ text, values: ['x'.repeat(1_000)], name: 'commit' });
      commits += 1;
    }
    return commits / seconds;
  } finally {
    await client.end();
  }
}
