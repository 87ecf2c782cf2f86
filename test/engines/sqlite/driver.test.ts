import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DatabaseSync } from '@photostructure/sqlite';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Connector } from '../../../src/engines/contract.js';
import { sqlite } from '../../../src/engines/sqlite/index.js';
import { packageRoot } from '../../../src/util/package-root.js';
import { temporaryFolder } from '../../helpers/temporary-folder.js';

const SLOW = `with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000000000)
  select count(*) from n`;

describe('the SQLite driver', () => {
  it('reports only keys in which no NULL can be', async () => {
    const { connector } = await openFile(`
      create table rowid_key (id integer primary key);
      create table descending_key (id integer primary key desc);
      create table text_key (id text primary key);
      create table not_null_key (id text not null primary key);
      create table strict_key (id text primary key) strict;
      create table without_rowid (id text primary key) without rowid;
      create table two (a integer not null, b integer, primary key (b, a))`);
    const { tables } = await connector.introspect();
    expect(
      Object.fromEntries(tables.map((table) => [table.table.name, table.primary_key])),
    ).toEqual({
      rowid_key: ['id'],
      descending_key: [],
      text_key: [],
      not_null_key: ['id'],
      strict_key: ['id'],
      without_rowid: ['id'],
      two: [],
    });
  });

  it('leaves out virtual tables, their insides and those of SQLite', async () => {
    const { connector } = await openFile(`
      create table a (id integer primary key autoincrement); insert into a values (1);
      create virtual table search using fts5 (body)`);
    const { tables } = await connector.introspect();
    expect(tables.map(({ table }) => table.name)).toEqual(['a']);
  });

  it('takes a foreign key without columns for one on the primary key', async () => {
    const { connector } = await openFile(`
      create table a (x text not null, y text not null, primary key (y, x));
      create table b (p text, q text, foreign key (p, q) references a)`);
    const { tables } = await connector.introspect({ include: ['main.b'] });
    expect(tables[0]?.foreign_keys).toEqual([
      { columns: ['p', 'q'], references: { schema: 'main', table: 'a', columns: ['y', 'x'] } },
    ]);
  });

  it('has the functions that masks and sums are made of, for every value', async () => {
    const { connector } = await openFile(`create table t (v);
      insert into t values ('Zoë'), (9223372036854775807), (0.1), (x'ff'), (null)`);
    const sql = 'select vkit_sha256_hex(v), vkit_left(v, 2), vkit_concat(v, v, 1) from main.t';
    const rows = await readAll(connector, sql, ['text', 'text', 'text']);
    const hash = createHash('sha256').update('Zoë').digest('hex');
    expect(rows[0]).toEqual([`"${hash}"`, '"Zo"', '"ZoëZoë1"']);
    expect(rows).toHaveLength(5);
    const total = 'select vkit_sum(i) from (select 9223372036854775807 i union all select 0.5)';
    expect(await readAll(connector, total, ['numeric'])).toEqual([['"9223372036854775807.5"']]);
  });

  it('lets no view of the file call the functions', async () => {
    const { connector } = await openFile(
      `create table t (v); create view w as select vkit_sha256_hex(v) from t`,
    );
    await expect(readAll(connector, 'select * from main.w', ['text'])).rejects.toMatchObject({
      code: 'datasource_error',
    });
  });

  it('reads one state of the file, whoever writes meanwhile', async () => {
    const { connector, path } = await openFile(`pragma journal_mode = wal; create table t (v);
      insert into t values (1), (2), (3)`);
    const seen: string[] = [];
    const query = {
      sql: 'select v from main.t',
      params: [],
      columns: [column('integer')],
      tables: [],
    };
    for await (const batch of connector.run(query, { timeoutMs: 5_000, batchRows: 1 })) {
      write(path, 'insert into t values (9)');
      seen.push(...batch.flat());
    }
    expect(seen).toEqual(['1', '2', '3']);
  });

  it('reads the file that is there now, not the one that was', async () => {
    const { connector, path } = await openFile('create table t (v); insert into t values (1)');
    expect(await readAll(connector, 'select v from main.t', ['integer'])).toEqual([['1']]);
    write(`${path}.new`, 'create table t (v); insert into t values (2)');
    await rename(`${path}.new`, path);
    expect(await readAll(connector, 'select v from main.t', ['integer'])).toEqual([['2']]);
  });

  it('gives up on a file that another process keeps locked', async () => {
    const { connector, path } = await openFile('create table t (v)');
    const writer = new DatabaseSync(path);
    writer.exec('begin exclusive');
    const read = readAll(connector, 'select v from main.t', ['integer'], 300);
    await expect(read).rejects.toMatchObject({ code: 'query_timeout' });
    writer.close();
    expect(await readAll(connector, 'select v from main.t', ['integer'])).toEqual([]);
  });

  it('refuses rows that have other columns than the query says', async () => {
    const { connector } = await openFile('create table t (v)');
    await expect(readAll(connector, 'select 1, 2', ['integer'])).rejects.toMatchObject({
      code: 'datasource_error',
    });
  });

  it.skipIf(process.platform !== 'linux')(
    'shows a process list neither SQL nor the environment',
    async () => {
      const { connector } = await openFile('create table t (v)');
      const before = new Set(childrenOf(process.pid));
      await readAll(connector, `select 'in-the-sql'`, ['text']);
      const [child] = childrenOf(process.pid).filter((pid) => !before.has(pid));
      expect(readFileSync(`/proc/${child}/cmdline`, 'utf8')).toMatch(/sqlite-child\.js\0$/);
      const environment = readFileSync(`/proc/${child}/environ`, 'utf8');
      // Node itself names the channel to the parent.
      expect(environment.replace(/NODE_CHANNEL_[A-Z_]+=\w+\0/g, '')).toBe('');
    },
  );

  it('lets a program end that does not close it', { timeout: 30_000 }, async () => {
    const { path } = await openFile('create table t (v); insert into t values (1)');
    const startedAt = performance.now();
    const program = runProgram(path, 'select v from main.t');
    const [code] = await new Promise<[number | null]>((resolve) =>
      program.once('exit', (exit) => resolve([exit])),
    );
    expect(code).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(15_000);
  });

  it.skipIf(process.platform !== 'linux')(
    'leaves no process behind when it is killed in the middle of a query',
    { timeout: 30_000 },
    async () => {
      const { path } = await openFile('create table t (v)');
      const program = runProgram(path, SLOW);
      const child = await vi.waitFor(() => {
        const [pid] = childrenOf(program.pid ?? 0).filter((candidate) =>
          readFileSync(`/proc/${candidate}/cmdline`, 'utf8').includes('sqlite-child'),
        );
        if (!pid) throw new Error('No child yet.');
        return pid;
      }, 15_000);
      // Time to be in the middle of the statement.
      await promisify(setTimeout)(500);
      program.kill('SIGKILL');
      await vi.waitFor(() => expect(existsSync(`/proc/${child}`)).toBe(false), 5_000);
    },
  );
});

function column(type: string) {
  return { name: 'c', type };
}

function write(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

async function openFile(sql: string): Promise<{ connector: Connector; path: string }> {
  const path = join(await temporaryFolder(), 'data.db');
  write(path, sql);
  const connector = await sqlite.connect({ id: 'files', config: { path }, credentials: {} });
  onTestFinished(() => connector.close());
  return { connector, path };
}

async function readAll(
  connector: Connector,
  sql: string,
  types: readonly string[],
  timeoutMs = 10_000,
): Promise<(readonly string[])[]> {
  const all: (readonly string[])[] = [];
  const query = { sql, params: [], columns: types.map(column), tables: [] };
  for await (const batch of connector.run(query, { timeoutMs })) all.push(...batch);
  return all;
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      if (!existsSync(`/proc/${pid}/stat`)) return false;
      const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(/\) /);
      return rest.split(' ')[1] === String(parent);
    })
    .map(Number);
}

/** A program of its own that runs one query and does not close its connector. */
function runProgram(path: string, sql: string): ChildProcess {
  const driver = join(packageRoot(), 'src/engines/sqlite/driver.ts');
  const code = `
    const { connectSqlite } = await import(${JSON.stringify(driver)});
    const target = { id: 'files', config: { path: ${JSON.stringify(path)} }, credentials: {} };
    const connector = await connectSqlite(target);
    const query = { sql: ${JSON.stringify(sql)}, params: [], columns: [{ name: 'c', type: 'integer' }], tables: [] };
    for await (const batch of connector.run(query, { timeoutMs: 60_000 })) batch.length;`;
  return spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
    cwd: packageRoot(),
    stdio: 'ignore',
  });
}
