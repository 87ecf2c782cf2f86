import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kysely, sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrate } from '../../src/store/migrate.js';
import { MIGRATIONS } from '../../src/store/migrations/index.js';
import { openStore } from '../../src/store/open-store.js';
import { auditRepository } from '../../src/store/repositories/audit.js';
import { openSqlite } from '../../src/store/sqlite.js';
import { sqliteDialect, sqliteDriver } from '../../src/store/sqlite-dialect.js';
import type { Tables } from '../../src/store/tables.js';
import { SIGNER } from '../audit/chain-fixture.js';

const NOW = () => Date.UTC(2026, 2, 1);
let home: string;
let close: () => Promise<void>;
let db: Kysely<Tables>;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'vkit-migrate-'));
  const sqlite = await openSqlite(home, NOW);
  const driver = sqliteDriver({
    database: sqlite.database,
    log: { durable: async () => {}, syncing: () => undefined },
    beforeWaiting: () => {},
    onChange: () => {},
  });
  db = new Kysely<Tables>({ dialect: sqliteDialect(driver) });
  close = () => sqlite.close();
});

afterEach(async () => {
  await close();
  await rm(home, { recursive: true, force: true });
});

describe('the migrations', () => {
  it('are numbered from 1 without gaps, as their names say', () => {
    const versions = MIGRATIONS.map(({ version }) => version);
    expect(versions[0]).toBe(1);
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
  });

  it('run once and are recorded', async () => {
    await migrate(db, { now: NOW });
    await migrate(db, { now: NOW });
    const applied_at = '2026-03-01T00:00:00.000Z';
    expect(await db.selectFrom('schema_migrations').selectAll().execute()).toEqual(
      MIGRATIONS.map(({ version, name }) => ({ version, name, applied_at })),
    );
  });

  it('leave nothing behind when one of them fails', async () => {
    await migrate(db, { now: NOW });
    const last = MIGRATIONS.length;
    const failing = [
      ...MIGRATIONS,
      { version: last + 1, name: 'more', statements: ['create table more (id text)'] },
      { version: last + 2, name: 'bad', statements: ['create table bad (id text)', 'nonsense'] },
    ];
    await expect(migrate(db, { now: NOW, migrations: failing })).rejects.toMatchObject({
      code: 'internal',
    });
    const { rows } =
      await sql`select name from sqlite_schema where name in ('more', 'bad')`.execute(db);
    expect(rows).toEqual([]);
    await migrate(db, { now: NOW, migrations: failing.slice(0, last + 1) });
    const versions = await db.selectFrom('schema_migrations').select('version').execute();
    expect(versions.at(-1)).toEqual({ version: last + 1 });
  });

  it('keep the records of the log, and what they are found by, since 0004', async () => {
    const before = MIGRATIONS.filter(({ version }) => version < 4);
    await migrate(db, { now: NOW, migrations: before });
    for (let seq = 1; seq <= 300; seq += 1) {
      await sql`insert into audit_records
        (seq, audit_id, hash, event, timestamp, user_id, dataset, request_id, record)
        values (${seq}, ${`audit_${seq}`}, ${`h${seq}`}, 'user.created', ${`2026-03-01T00:00:${seq}`},
          ${`usr_${seq % 2}`}, null, null, ${JSON.stringify({ seq })})`.execute(db);
    }
    await migrate(db, { now: NOW });
    const { list, head } = auditRepository(db, SIGNER);
    expect(await head()).toEqual({ seq: 300, hash: 'h300' });
    const found = await list({ order: 'desc', limit: 2, userId: 'usr_1' });
    expect(found).toEqual([{ seq: 299 }, { seq: 297 }]);
    expect(await list({ order: 'asc', limit: 1_000 })).toHaveLength(300);
  });

  it('find in the documents that are there what lists say of bundles since 0002', async () => {
    await migrate(db, { now: NOW, migrations: MIGRATIONS.slice(0, 1) });
    const header = { bundle_version: 'c0ffee', expires_at: '2027-01-01T00:00:00Z' };
    const documents = [
      { bundle: header, signing: { key_id: 'key-1' } },
      { bundle: { bundle_version: 'bare' } },
    ];
    for (const [index, document] of documents.entries()) {
      await sql`insert into bundles
        (version, checksum, sequence, state, document, uploaded_by, uploaded_at)
        values (${index + 1}, ${`sum${index}`}, 1, 'uploaded', ${JSON.stringify(document)},
          'usr_1', '2026-03-01T00:00:00.000Z')`.execute(db);
    }
    await migrate(db, { now: NOW });
    const facts = await db
      .selectFrom('bundles')
      .select(['bundle_version', 'expires_at', 'key_id', 'activated_by'])
      .orderBy('version')
      .execute();
    expect(facts).toEqual([
      { ...header, key_id: 'key-1', activated_by: null },
      { bundle_version: 'bare', expires_at: null, key_id: null, activated_by: null },
    ]);
  });

  it('refuse a database that a newer vkit wrote, which then stays as it is', async () => {
    await migrate(db, { now: NOW });
    const newer = { version: 9_999, name: '9999_later', applied_at: '2027-01-01T00:00:00.000Z' };
    await db.insertInto('schema_migrations').values(newer).execute();
    await close();
    await expect(openStore({ dataDir: home, signer: SIGNER, now: NOW })).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('schema version 9999'),
    });
    const again = await openSqlite(home, NOW);
    close = () => again.close();
  });
});
