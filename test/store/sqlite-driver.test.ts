import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kysely, sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { verifyChain } from '../../src/audit/verify-chain.js';
import { TRANSACTION_MS_MAX } from '../../src/store/build-store.js';
import { openDurableLog } from '../../src/store/durable-log.js';
import { openStore } from '../../src/store/open-store.js';
import { openSqlite, type SqliteDatabase } from '../../src/store/sqlite.js';
import { sqliteDialect, sqliteDriver } from '../../src/store/sqlite-dialect.js';
import { GROUP_TRANSACTIONS_MAX } from '../../src/store/transaction-group.js';
import { event, KEYS, SIGNER } from '../audit/chain-fixture.js';

let home: string;
const options = () => ({ dataDir: home, signer: SIGNER, now: Date.now });

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'vkit-driver-'));
});

afterEach(() => rm(home, { recursive: true, force: true }));

const SYNCED = { durable: async () => {}, syncing: () => undefined };

function kysely(
  database: SqliteDatabase,
  durable = async () => {},
): Kysely<Record<string, Record<string, unknown>>> {
  const log = { durable, syncing: () => undefined };
  const driver = sqliteDriver({ database, log, beforeWaiting: () => {}, onChange: () => {} });
  return new Kysely({ dialect: sqliteDialect(driver) });
}

describe('the connection', () => {
  it('checks foreign keys and is the only one', async () => {
    const { database, close } = await openSqlite(home, Date.now);
    const pragma = (name: string) =>
      Object.values(database.prepare(`pragma ${name}`).all()[0] as object)[0];
    expect(pragma('journal_mode')).toBe('wal');
    expect(pragma('synchronous')).toBe(1);
    expect(pragma('foreign_keys')).toBe(1);
    expect(pragma('locking_mode')).toBe('exclusive');
    await close();
  });

  it('answers nothing more after a commit that failed, since what is on disk is unclear', async () => {
    const { database, close } = await openSqlite(home, Date.now);
    let failing = false;
    const db = kysely({
      prepare: (text) => database.prepare(text),
      close: () => database.close(),
      exec(text) {
        if (failing && text === 'commit') {
          throw Object.assign(new Error('disk I/O error'), { errcode: 1034 });
        }
        database.exec(text);
      },
    });
    await sql`create table t (a text)`.execute(db);
    failing = true;
    const write = db.transaction().execute((tx) => tx.insertInto('t').values({ a: 'x' }).execute());
    await expect(write).rejects.toMatchObject({ code: 'unavailable' });
    failing = false;
    await expect(db.selectFrom('t').selectAll().execute()).rejects.toMatchObject({
      code: 'unavailable',
    });
    await close();
  });

  it('tells who wrote when it is on disk, and lets the next in line write meanwhile', async () => {
    const { database, close } = await openSqlite(home, Date.now);
    const syncs: (() => void)[] = [];
    const db = kysely(database, () => new Promise((resolve) => syncs.push(() => resolve())));
    const told: string[] = [];
    const write = async (name: string): Promise<void> => {
      await db.transaction().execute((tx) => tx.insertInto('t').values({ a: name }).execute());
      told.push(name);
    };
    const made = sql`create table t (a text)`.execute(db);
    await vi.waitFor(() => expect(syncs).toHaveLength(1));
    syncs.shift()?.();
    await made;
    const both = [write('one')];
    await vi.waitFor(() => expect(syncs).toHaveLength(1));
    both.push(write('two'));
    await vi.waitFor(() => expect(syncs).toHaveLength(2));
    expect(told).toEqual([]);
    // Reading waits for nobody's disk.
    expect(await db.selectFrom('t').selectAll().execute()).toHaveLength(2);
    syncs[0]?.();
    await both[0];
    expect(told).toEqual(['one']);
    syncs[1]?.();
    await both[1];
    await close();
  });

  it('answers nothing more after a sync that failed', async () => {
    const { database, close } = await openSqlite(home, Date.now);
    let failing = false;
    const db = kysely(database, async () => {
      if (failing) throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' });
    });
    await sql`create table t (a text)`.execute(db);
    failing = true;
    const write = db.transaction().execute((tx) => tx.insertInto('t').values({ a: 'x' }).execute());
    await expect(write).rejects.toMatchObject({ code: 'unavailable' });
    failing = false;
    await expect(db.selectFrom('t').selectAll().execute()).rejects.toMatchObject({
      code: 'unavailable',
    });
    await close();
  });

  it('goes on after a statement that failed', async () => {
    const { database, close } = await openSqlite(home, Date.now);
    const db = kysely(database);
    await sql`create table t (a text unique)`.execute(db);
    const insert = () => db.insertInto('t').values({ a: 'x' }).execute();
    await insert();
    await expect(insert()).rejects.toMatchObject({ code: 'conflict' });
    await expect(sql`select nothing from nowhere`.execute(db)).rejects.toMatchObject({
      code: 'internal',
    });
    expect(await db.selectFrom('t').selectAll().execute()).toEqual([{ a: 'x' }]);
    await close();
  });
});

describe('transactions that stand in line', () => {
  /** The database, with each `exec` noted, and failing where `fails` says so. */
  function noting(database: SqliteDatabase, fails: (text: string) => boolean = () => false) {
    const said: string[] = [];
    const noted: SqliteDatabase = {
      prepare: (text) => database.prepare(text),
      close: () => database.close(),
      exec(text) {
        said.push(text);
        if (fails(text)) throw Object.assign(new Error('disk I/O error'), { errcode: 1034 });
        database.exec(text);
      },
    };
    return { said, noted };
  }

  it('are committed together, each rolled back alone', async () => {
    const { database, close } = await openSqlite(home, Date.now);
    const { said, noted } = noting(database);
    const db = kysely(noted);
    await sql`create table t (a text)`.execute(db);
    const write = (name: string, fails = false) =>
      db.transaction().execute(async (tx) => {
        await tx.insertInto('t').values({ a: name }).execute();
        if (fails) throw new Error(`not ${name}`);
      });
    const first = write('one');
    const all = [write('two', true), write('three'), write('four', true), write('five')];
    const ended = await Promise.allSettled([first, ...all]);
    expect(ended.map(({ status }) => status)).toEqual([
      ...['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'],
    ]);
    expect(await db.selectFrom('t').selectAll().execute()).toEqual(
      ['one', 'three', 'five'].map((a) => ({ a })),
    );
    expect(said.filter((text) => text === 'begin immediate')).toHaveLength(1);
    expect(said.filter((text) => text === 'commit')).toHaveLength(1);
    await close();
  });

  it('are joined by whoever comes while the log is synced, in one commit and one sync', async () => {
    const { database, close } = await openSqlite(home, Date.now);
    const { said, noted } = noting(database);
    const syncs: (() => void)[] = [];
    const path = join(home, 'vkit.db-wal');
    const log = openDurableLog(path, (_file, done) => syncs.push(() => done(null)));
    const driver = sqliteDriver({ database: noted, log, beforeWaiting() {}, onChange() {} });
    const db = new Kysely<Record<string, Record<string, unknown>>>({
      dialect: sqliteDialect(driver),
    });
    const made = sql`create table t (a text)`.execute(db);
    await vi.waitFor(() => expect(syncs).toHaveLength(1));
    const told: string[] = [];
    const write = async (name: string): Promise<void> => {
      await db.transaction().execute((tx) => tx.insertInto('t').values({ a: name }).execute());
      told.push(name);
    };
    const writes = ['one', 'two', 'three'].map(write);
    await vi.waitFor(() => expect(said).toContain('release member'));
    expect(said).not.toContain('commit');
    // Whoever only reads waits neither for the commit nor for the sync.
    expect(await db.selectFrom('t').selectAll().execute()).toHaveLength(3);
    syncs[0]?.();
    await made;
    await vi.waitFor(() => expect(syncs).toHaveLength(2));
    expect(said.filter((text) => text === 'commit')).toHaveLength(1);
    expect(told).toEqual([]);
    syncs[1]?.();
    await Promise.all(writes);
    expect(syncs).toHaveLength(2);
    await log.close();
    await close();
  });

  it('a group that begins with one that fails keeps the others', async () => {
    const { database, close } = await openSqlite(home, Date.now);
    const db = kysely(database);
    await sql`create table t (a text unique)`.execute(db);
    const write = (...names: string[]) =>
      db.transaction().execute(async (tx) => {
        for (const a of names) await tx.insertInto('t').values({ a }).execute();
      });
    const ended = await Promise.allSettled([
      write('a', 'a'),
      write('b'),
      write('c', 'b'),
      write('d'),
    ]);
    expect(ended.map(({ status }) => status)).toEqual([
      ...['rejected', 'fulfilled', 'rejected', 'fulfilled'],
    ]);
    const rows = await db.selectFrom('t').selectAll().orderBy('a').execute();
    expect(rows).toEqual([{ a: 'b' }, { a: 'd' }]);
    await close();
  });

  it('are all told when the commit they share fails, and nobody is answered any more', async () => {
    const { database, close } = await openSqlite(home, Date.now);
    let failing = false;
    const { noted } = noting(database, (text) => failing && text === 'commit');
    const db = kysely(noted);
    await sql`create table t (a text)`.execute(db);
    failing = true;
    const write = (a: string) =>
      db.transaction().execute((tx) => tx.insertInto('t').values({ a }).execute());
    const read = () => db.selectFrom('t').selectAll().execute();
    const ended = await Promise.allSettled([write('a'), write('b'), write('c')]);
    for (const one of ended) {
      expect(one).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } });
    }
    failing = false;
    await expect(read()).rejects.toMatchObject({ code: 'unavailable' });
    await close();
  });

  it('are all told when SQLite gives the shared transaction up', async () => {
    const { database, close } = await openSqlite(home, Date.now);
    const db = kysely(database);
    await sql`create table t (a text unique on conflict rollback)`.execute(db);
    await db.insertInto('t').values({ a: 'x' }).execute();
    const write = (a: string) =>
      db.transaction().execute((tx) => tx.insertInto('t').values({ a }).execute());
    // What a full disk does to a transaction, a conflict does to it here.
    const ended = await Promise.allSettled([write('a'), write('b'), write('x'), write('c')]);
    for (const one of ended) expect(one).toMatchObject({ status: 'rejected' });
    await expect(write('d')).rejects.toMatchObject({ code: 'unavailable' });
    expect(database.prepare('select a from t').all()).toEqual([{ a: 'x' }]);
    await close();
  });

  it('alone, one that SQLite gives up is rolled back, and the next one goes on', async () => {
    const { database, close } = await openSqlite(home, Date.now);
    const db = kysely(database);
    await sql`create table t (a text unique on conflict rollback)`.execute(db);
    const write = (a: string) =>
      db.transaction().execute((tx) => tx.insertInto('t').values({ a }).execute());
    await write('x');
    await expect(write('x')).rejects.toMatchObject({ code: 'conflict' });
    await write('y');
    expect(database.prepare('select a from t').all()).toEqual([{ a: 'x' }, { a: 'y' }]);
    await close();
  });

  it('are committed before the store closes, and after as many as one group takes', async () => {
    const { database, close } = await openSqlite(home, Date.now);
    const { said, noted } = noting(database);
    const driver = sqliteDriver({
      database: noted,
      log: SYNCED,
      beforeWaiting() {},
      onChange() {},
    });
    const db = new Kysely<Record<string, Record<string, unknown>>>({
      dialect: sqliteDialect(driver),
    });
    await sql`create table t (a text)`.execute(db);
    const count = GROUP_TRANSACTIONS_MAX + 1;
    const writes = Array.from({ length: count }, (_, index) =>
      db.transaction().execute((tx) =>
        tx
          .insertInto('t')
          .values({ a: `${index}` })
          .execute(),
      ),
    );
    await vi.waitFor(() => expect(said).toContain('begin immediate'));
    await driver.destroy();
    expect(database.prepare('select count(*) as n from t').all()).toEqual([{ n: count }]);
    await Promise.all(writes);
    expect(said.filter((text) => text === 'commit').length).toBeGreaterThanOrEqual(2);
    await close();
  });
});

describe('a transaction that waits for something else than the store', () => {
  it('is rolled back after a while, and the next one has its turn', async () => {
    const store = await openStore(options());
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const stuck = store.transaction(async (tx) => {
        await tx.audit.append(event(1));
        await new Promise(() => {});
      });
      const next = store.audit.append(event(2));
      const refused = expect(stuck).rejects.toMatchObject({ code: 'unavailable' });
      await vi.advanceTimersByTimeAsync(TRANSACTION_MS_MAX);
      await refused;
      expect(await next).toMatchObject({ seq: 1 });
    } finally {
      vi.useRealTimers();
      await store.close();
    }
  });
});

describe('an audit log edited in its database', () => {
  it.each([
    [
      'changed',
      `update audit_records set record = replace(record, '"rows_returned":3', '"rows_returned":0') where seq = 3`,
      'changed',
      3,
    ],
    ['removed', 'delete from audit_records where seq = 3', 'removed', 3],
    [
      'inserted',
      `insert into audit_records select 9, hash, event, timestamp, user_id, dataset, request_id, record from audit_records where seq = 3`,
      'inserted',
      3,
    ],
    [
      'swapped',
      'update audit_records set seq = case seq when 3 then 103 else 104 end where seq in (3, 4); update audit_records set seq = case seq when 103 then 4 else 3 end where seq > 100',
      'reordered',
      3,
    ],
  ])('has the record that was %s named', async (_name, edit, kind, seq) => {
    const store = await openStore(options());
    for (let index = 1; index <= 5; index += 1) await store.audit.append(event(index));
    await store.close();
    const { database, close } = await openSqlite(home, Date.now);
    database.exec(edit);
    await close();
    const again = await openStore(options());
    const log = await again.audit.list({ order: 'asc', limit: 100 });
    await again.close();
    const verdict = await verifyChain(log, { keys: KEYS });
    expect(verdict).toMatchObject({ ok: false, problem: { kind, seq } });
  });
});
