import { createHash } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { verifyChain } from '../../src/audit/verify-chain.js';
import { MIGRATIONS } from '../../src/store/migrations/index.js';
import type { Migration } from '../../src/store/migrations/migration.js';
import type { Store, UserRow } from '../../src/store/model.js';
import { openPostgresStore } from '../../src/store/postgres/open-postgres-store.js';
import { LEASE_MS } from '../../src/store/postgres/view-of-changes.js';
import { KEYS, SIGNER } from '../audit/chain-fixture.js';
import { withHeldProxy } from '../helpers/held-proxy.js';
import { emptyState, findPostgres } from '../helpers/postgres.js';

const postgres = await findPostgres();

const AT = '2026-03-01T10:00:00.000Z';
const user = (id: string): UserRow => ({
  id,
  email: `${id}@example.com`,
  password_hash: 'none',
  roles: [],
  clearance: null,
  region: null,
  purposes: [],
  created_at: AT,
  disabled_at: null,
  login: 'password',
  oidc_subject: null,
});

describe.skipIf(postgres.url === null)(
  `stores of several processes over one PostgreSQL${postgres.reason ? `: ${postgres.reason}` : ''}`,
  () => {
    let url: string;
    let schema: string;
    let a: Store;
    let b: Store;
    const client = new pg.Client({ connectionString: postgres.url ?? '' });
    afterAll(() => client.end().catch(() => undefined));

    const open = async (at = url, migrations: readonly Migration[] = MIGRATIONS) => {
      const signer = async () => SIGNER;
      const store = await openPostgresStore({ url: at, signer, now: Date.now, migrations });
      onTestFinished(() => store.close());
      return store;
    };

    beforeEach(async () => {
      const state = await emptyState(postgres.url ?? '');
      ({ url, schema } = state);
      onTestFinished(state.discard);
      // At the same moment, over nothing: one of them makes the tables.
      [a, b] = await Promise.all([open(), open()]);
    });

    it('number records without gaps between them, in one chain', async () => {
      const event = (store: string, index: number) => ({
        event: 'test.happened',
        timestamp: AT,
        metadata: { store, index },
      });
      const many = Array.from({ length: 100 }, (_, index) => index);
      await Promise.all([
        ...many.map((index) => a.record(event('a', index))),
        ...many.map((index) => b.record(event('b', index))),
        ...many.slice(0, 20).map((index) => a.audit.append(event('a+', index))),
        ...many.slice(0, 20).map((index) =>
          b.transaction(async (tx) => {
            await tx.users.insert(user(`usr_${index}`));
            await tx.audit.append(event('b+', index));
          }),
        ),
      ]);
      const log = await a.audit.list({ order: 'asc', limit: 1_000 });
      expect(log.map(({ seq }) => seq)).toEqual(
        Array.from({ length: 240 }, (_, index) => index + 1),
      );
      expect(await verifyChain(log, { keys: KEYS })).toMatchObject({ ok: true, count: 240 });
      expect(await a.users.list(100)).toHaveLength(20);
    });

    it('see what another one has changed, and take no event under what it has changed', async () => {
      const [accounts, revision] = [b.accountsVersion(), b.revision()];
      await a.users.insert(user('usr_1'));
      expect(await b.record({ event: 'late', timestamp: AT }, revision)).toBeNull();
      await vi.waitFor(() => expect(b.accountsVersion()).toBeGreaterThan(accounts), {
        timeout: LEASE_MS,
      });
    });

    it('are told what another one has taken away, and not what it has given', async () => {
      await a.users.insert(user('usr_1'));
      const told = vi.fn();
      b.watch(told);
      await new Promise((resolve) => setTimeout(resolve, 600));
      told.mockClear();
      await a.sessions.insert({
        id: 'ses_1',
        user_id: 'usr_1',
        token_hash: 'hash',
        created_at: AT,
        expires_at: AT,
        revoked_at: null,
        method: 'password',
        client: null,
        address: null,
      });
      await new Promise((resolve) => setTimeout(resolve, 600));
      expect(told).not.toHaveBeenCalled();
      await a.sessions.revoke('ses_1', AT);
      await vi.waitFor(() => expect(told).toHaveBeenCalledWith('changed'), { timeout: LEASE_MS });
    });

    it('know nothing any more once the database is gone for two seconds, and ask before they say so', async () => {
      const { hostname, port } = new URL(postgres.url ?? '');
      await withHeldProxy({ host: hostname, port: Number(port || 5432) }, async (line) => {
        const over = new URL(url);
        over.port = String(line.port);
        const far = await open(over.href.replaceAll('+', '%20'));
        const told = vi.fn();
        far.watch(told);
        expect(far.renew()).toBeUndefined();
        await line.stop();
        await vi.waitFor(() => expect(told).toHaveBeenCalledWith('lost'), { timeout: 4_000 });
        expect(() => far.accountsVersion()).toThrow(/has not heard/);
        await expect(far.renew()).rejects.toMatchObject({ code: 'unavailable' });
        await expect(far.users.list(1)).rejects.toMatchObject({ code: 'unavailable' });
        await expect(far.record({ event: 'lost', timestamp: AT })).rejects.toMatchObject({
          code: 'unavailable',
        });
        await line.start();
        await far.renew();
        expect(far.accountsVersion()).toBeGreaterThan(0);
        expect(await far.users.list(1)).toEqual([]);
        await far.close();
      });
    });

    it('keep others from work that is under way, until whoever does it is gone', async () => {
      const work = `sweep of ${schema}`;
      let end: () => void = () => undefined;
      let working: Promise<unknown> | undefined;
      await new Promise<void>((started) => {
        working = a.exclusively(work, () => {
          started();
          return new Promise<void>((resolve) => {
            end = resolve;
          });
        });
      });
      expect(await b.exclusively(work, async () => expect.unreachable())).toBe(false);
      await client.connect();
      await client.query(
        `select pg_terminate_backend(pid) from pg_locks
         where locktype = 'advisory' and objid = $1::bigint::oid and granted`,
        [createHash('sha256').update(work).digest().readUInt32BE()],
      );
      await vi.waitFor(async () => expect(await b.exclusively(work, async () => {})).toBe(true));
      end();
      await expect(working).rejects.toMatchObject({ code: 'unavailable' });
    });

    it('write nothing of a transaction whose connection is lost', async () => {
      const lost = a.transaction(async (tx) => {
        await tx.users.insert(user('usr_1'));
        const killer = new pg.Client({ connectionString: url });
        await killer.connect();
        await killer.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where pid in (select pid from pg_locks l join pg_class c on c.oid = l.relation
             where c.relnamespace = $1::regnamespace) and pid <> pg_backend_pid()`,
          [schema],
        );
        await killer.end();
        await tx.users.insert(user('usr_2'));
      });
      await expect(lost).rejects.toMatchObject({ code: 'unavailable' });
      expect(await a.users.list(10)).toEqual([]);
      await a.users.insert(user('usr_3'));
      expect(await b.users.list(10)).toHaveLength(1);
    });

    it('say where the database is and why it cannot be used, without the password', async () => {
      const at = new URL(postgres.url ?? '');
      at.password = 'a secret';
      const nowhere = new URL(at);
      nowhere.port = '1';
      await expect(open(nowhere.href)).rejects.toMatchObject({
        code: 'unavailable',
        message: `The server's database postgres://${nowhere.host}${at.pathname} cannot be used: nothing listens there.`,
      });
      at.pathname = '/vkit_no_such_database';
      await expect(open(at.href)).rejects.toMatchObject({
        message: expect.stringContaining('there is no such database'),
      });
      await expect(open('https://example.com/x')).rejects.toMatchObject({ code: 'config_invalid' });
    });

    it('go on while a newer one adds to the tables, and are refused at a start afterwards', async () => {
      const next: Migration = {
        version: (MIGRATIONS.at(-1)?.version ?? 0) + 1,
        name: '9999_next',
        statements: ['alter table users add column nickname text'],
      };
      let isOver = false;
      let written = 0;
      const work = async () => {
        while (!isOver) {
          await a.users.insert(user(`usr_${written}`));
          written += 1;
        }
      };
      const working = work();
      const newer = await open(url, [...MIGRATIONS, next]);
      await newer.users.insert(user('usr_newer'));
      const before = written;
      await vi.waitFor(() => expect(written).toBeGreaterThan(before + 5));
      isOver = true;
      await working;
      expect(await b.users.list(1_000)).toHaveLength(written + 1);
      await expect(open()).rejects.toMatchObject({ code: 'unsupported' });
    });
  },
);
