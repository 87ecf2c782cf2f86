import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuditKeys } from '../../src/audit/inspect-record.js';
import type { AuditEvent } from '../../src/audit/model.js';
import { RECORD_BYTES_MAX } from '../../src/audit/seal-record.js';
import { verifyChain } from '../../src/audit/verify-chain.js';
import type {
  AgentTokenRow,
  BundleRow,
  DatasourceRow,
  GrantRow,
  NotificationRow,
  RequestRow,
  SecretRow,
  SessionRow,
  Store,
  UserRow,
} from '../../src/store/model.js';

/** One kind of store, over an empty place of its own. */
export interface StoreUnderTest {
  open(): Promise<Store>;
  /** Removes what `open` made. */
  discard(): Promise<void>;
  auditKeys: AuditKeys;
}

/** What every store promises (src/store/model.ts), whatever database is under it. */
export function storeConformance(name: string, prepare: () => Promise<StoreUnderTest>): void {
  describe(`the store on ${name}`, () => {
    let place: StoreUnderTest;
    let store: Store;

    beforeEach(async () => {
      place = await prepare();
      store = await place.open();
    });

    afterEach(async () => {
      await store.close();
      await place.discard();
    });

    describe('the organisation', () => {
      it('is one, made once', async () => {
        expect(await store.organisation.get()).toBeNull();
        const row = { slug: 'acme', epoch: 0, highest_sequence: null, created_at: time(1) };
        await store.organisation.create(row);
        expect(await store.organisation.get()).toEqual(row);
        await expect(store.organisation.create({ ...row, slug: 'other' })).rejects.toMatchObject({
          code: 'conflict',
        });
        await store.organisation.setEpoch(2, 1_772_360_000);
        expect(await store.organisation.get()).toMatchObject({
          epoch: 2,
          highest_sequence: 1_772_360_000,
        });
      });
    });

    describe('users', () => {
      it('come back as they were put in, newest first', async () => {
        const old = user('usr_old', { created_at: time(1), region: 'EU', clearance: 'high' });
        const young = user('usr_young', { created_at: time(2), roles: [], purposes: ['ürsache'] });
        await store.users.insert(old);
        await store.users.insert(young);
        expect(await store.users.byId('usr_old')).toEqual(old);
        expect(await store.users.list(10)).toEqual([young, old]);
        expect(await store.users.list(1)).toEqual([young]);
        expect(await store.users.byId('usr_none')).toBeNull();
      });

      it('are known by their address whatever its case, and an address is given once', async () => {
        await store.users.insert(user('usr_1', { email: 'Ann@Example.com' }));
        expect(await store.users.byEmail('ANN@example.com')).toMatchObject({
          id: 'usr_1',
          email: 'ann@example.com',
        });
        const same = user('usr_2', { email: 'aNN@example.com' });
        await expect(store.users.insert(same)).rejects.toMatchObject({
          code: 'conflict',
          message: expect.stringContaining('e-mail address'),
        });
        const again = user('usr_1', { email: 'bob@example.com' });
        await expect(store.users.insert(again)).rejects.toMatchObject({ code: 'conflict' });
      });

      it('change in what is named and in nothing else', async () => {
        const row = user('usr_1');
        await store.users.insert(row);
        const change = { roles: ['admin'], disabled_at: time(5), email: 'New@example.com' };
        expect(await store.users.update('usr_1', change)).toBe(true);
        expect(await store.users.byId('usr_1')).toEqual({
          ...row,
          ...change,
          email: 'new@example.com',
        });
        expect(await store.users.update('usr_1', {})).toBe(true);
        expect(await store.users.update('usr_none', {})).toBe(false);
        expect(await store.users.update('usr_none', { region: 'EU' })).toBe(false);
      });

      it('are known by who the identity provider says they are, and two are not the same person', async () => {
        const oidc_subject = '["https://idp.example.com","1"]';
        await store.users.insert(user('usr_1', { login: 'oidc', oidc_subject }));
        await store.users.insert(user('usr_2', { login: 'oidc' }));
        await store.users.insert(user('usr_3'));
        expect(await store.users.byOidcSubject(oidc_subject)).toMatchObject({ id: 'usr_1' });
        expect(await store.users.byOidcSubject('none')).toBeNull();
        await expect(store.users.update('usr_2', { oidc_subject })).rejects.toMatchObject({
          code: 'conflict',
        });
      });

      it('are found by a role, exactly as it is written', async () => {
        await store.users.insert(user('usr_1', { roles: ['admin', 'x'] }));
        await store.users.insert(user('usr_2', { roles: ['user_admin', 'Admin'] }));
        await store.users.insert(user('usr_3', { roles: ['admin'], disabled_at: time(3) }));
        const ids = (await store.users.withRole('admin', 10)).map(({ id }) => id);
        expect(ids.sort()).toEqual(['usr_1', 'usr_3']);
        expect(await store.users.withRole('%', 10)).toEqual([]);
      });

      it('keep text that looks like SQL as text', async () => {
        const region = "'); drop table users; --";
        await store.users.insert(user('usr_1', { region }));
        expect(await store.users.byId('usr_1')).toMatchObject({ region });
      });
    });

    describe('logins of the command line', () => {
      const login = { code_hash: 'h', challenge: 'c', user_id: 'usr_1', expires_at: time(5) };

      it('are taken once, also by two at once', async () => {
        await store.users.insert(user('usr_1'));
        await store.cliLogins.insert(login);
        expect(await store.cliLogins.take('other')).toBeNull();
        const taken = await Promise.all([store.cliLogins.take('h'), store.cliLogins.take('h')]);
        expect(taken.filter((one) => one !== null)).toEqual([login]);
      });

      it('are forgotten once nobody has fetched them in time', async () => {
        await store.users.insert(user('usr_1'));
        await store.cliLogins.insert(login);
        await store.cliLogins.insert({ ...login, code_hash: 'later', expires_at: time(6) });
        await store.cliLogins.removeExpired(time(5));
        expect(await store.cliLogins.take('h')).toBeNull();
        expect(await store.cliLogins.take('later')).not.toBeNull();
      });
    });

    describe('sessions', () => {
      it('are listed by person, and by whether they are in use', async () => {
        await store.users.insert(user('usr_1'));
        await store.users.insert(user('usr_2'));
        await store.sessions.insert(session('used', 'usr_1'));
        await store.sessions.insert({ ...session('old', 'usr_1'), expires_at: time(2) });
        await store.sessions.insert(session('ended', 'usr_1'));
        await store.sessions.revoke('ended', time(2));
        await store.sessions.insert(session('other', 'usr_2'));
        const ids = async (filter: object) =>
          (await store.sessions.list(10, filter)).map(({ id }) => id).sort();
        expect(await ids({})).toEqual(['ended', 'old', 'other', 'used']);
        expect(await ids({ activeAt: time(2) })).toEqual(['other', 'used']);
        expect(await ids({ userId: 'usr_1', activeAt: time(2) })).toEqual(['used']);
        expect(await store.sessions.byId('ended')).toMatchObject({ revoked_at: time(2) });
        expect(await store.sessions.byId('none')).toBeNull();
      });

      it('are found by their hash and revoked once', async () => {
        await store.users.insert(user('usr_1'));
        const row = session('ses_1', 'usr_1');
        await store.sessions.insert(row);
        expect(await store.sessions.byTokenHash(row.token_hash)).toEqual(row);
        expect(await store.sessions.byTokenHash('none')).toBeNull();
        expect(await store.sessions.revoke('ses_1', time(3))).toBe(true);
        expect(await store.sessions.revoke('ses_1', time(4))).toBe(false);
        expect(await store.sessions.byTokenHash(row.token_hash)).toMatchObject({
          revoked_at: time(3),
        });
        expect(await store.sessions.revoke('ses_none', time(4))).toBe(false);
      });

      it('of one person are revoked together, those of others stay', async () => {
        await store.users.insert(user('usr_1'));
        await store.users.insert(user('usr_2'));
        for (const id of ['a', 'b', 'c']) await store.sessions.insert(session(id, 'usr_1'));
        await store.sessions.insert(session('d', 'usr_2'));
        await store.sessions.revoke('a', time(2));
        expect(await store.sessions.revokeAllOf('usr_1', time(3))).toBe(2);
        const revoked = (await store.sessions.list(10)).map((row) => [row.id, row.revoked_at]);
        expect(revoked.sort()).toEqual([
          ['a', time(2)],
          ['b', time(3)],
          ['c', time(3)],
          ['d', null],
        ]);
      });

      it('belong to somebody', async () => {
        await expect(store.sessions.insert(session('ses_1', 'usr_none'))).rejects.toMatchObject({
          code: 'conflict',
        });
      });
    });

    describe('agent tokens', () => {
      it('are found by hash, id, and by a prefix that only one has', async () => {
        const one = agentToken('agt_1', { prefix: 'vka_aaaaaaaa' });
        const two = agentToken('agt_2', { prefix: 'vka_bbbbbbbb', expires_at: time(9) });
        const three = agentToken('agt_3', { prefix: 'vka_bbbbbbbb', created_at: time(2) });
        for (const row of [one, two, three]) await store.agentTokens.insert(row);
        expect(await store.agentTokens.byTokenHash(two.token_hash)).toEqual(two);
        expect(await store.agentTokens.byId('agt_1')).toEqual(one);
        expect(await store.agentTokens.byIdOrPrefix('agt_2')).toEqual(two);
        expect(await store.agentTokens.byIdOrPrefix('vka_aaaaaaaa')).toEqual(one);
        expect(await store.agentTokens.byIdOrPrefix('vka_bbbbbbbb')).toBeNull();
        expect(await store.agentTokens.byIdOrPrefix('vka_%')).toBeNull();
        expect((await store.agentTokens.list(1))[0]).toEqual(three);
      });

      it('are found by a name, which several may have', async () => {
        const one = agentToken('agt_1', { name: 'bot' });
        const two = agentToken('agt_2', { name: 'bot', created_at: time(2) });
        const gone = agentToken('agt_3', { name: 'bot', revoked_at: time(3) });
        const other = agentToken('agt_4', { name: 'Bot' });
        for (const row of [one, two, gone, other]) await store.agentTokens.insert(row);
        expect(await store.agentTokens.byName('bot', 10)).toEqual([two, one]);
        expect(await store.agentTokens.byName('bot', 1)).toEqual([two]);
        expect(await store.agentTokens.byName('b%', 10)).toEqual([]);
      });

      it('are found by whom they act for, with what they are kept to', async () => {
        await store.users.insert(user('usr_1'));
        const one = agentToken('agt_1', { on_behalf_of: 'usr_1', datasources: ['shop', 'crm'] });
        const gone = agentToken('agt_2', { on_behalf_of: 'usr_1', revoked_at: time(3) });
        for (const row of [one, gone, agentToken('agt_3')]) await store.agentTokens.insert(row);
        expect(await store.agentTokens.onBehalfOf('usr_1', 10)).toEqual([one]);
      });

      it('are revoked once, and a secret belongs to one', async () => {
        const row = agentToken('agt_1');
        await store.agentTokens.insert(row);
        expect(await store.agentTokens.revoke('agt_1', time(2))).toBe(true);
        expect(await store.agentTokens.revoke('agt_1', time(3))).toBe(false);
        expect(await store.agentTokens.byId('agt_1')).toMatchObject({ revoked_at: time(2) });
        const same = agentToken('agt_2', { token_hash: row.token_hash });
        await expect(store.agentTokens.insert(same)).rejects.toMatchObject({ code: 'conflict' });
      });
    });

    describe('bundles', () => {
      it('get ascending versions without gaps, also when many come at once', async () => {
        const numbers = Array.from({ length: 20 }, (_, index) => index);
        const versions = await Promise.all(
          numbers.map((index) => store.bundles.insert(bundle(`sum${index}`))),
        );
        expect(versions.sort((a, b) => a - b)).toEqual(numbers.map((index) => index + 1));
        await expect(store.bundles.insert(bundle('sum3'))).rejects.toMatchObject({
          code: 'conflict',
          message: expect.stringContaining('uploaded already'),
        });
        expect(await store.bundles.insert(bundle('next'))).toBe(21);
      });

      it('come back as they were uploaded, and without the document in lists', async () => {
        const row = bundle('sum', { document: '{"a": 1.0, "ü": [ ]}\n' });
        const version = await store.bundles.insert(row);
        const { document, ...facts } = { ...row, version };
        expect(await store.bundles.byVersion(version)).toEqual(facts);
        expect(await store.bundles.byChecksum('sum')).toEqual(facts);
        expect(await store.bundles.byVersion(9)).toBeNull();
        expect(await store.bundles.list(10)).toEqual([facts]);
        expect(await store.bundles.document(version)).toBe(document);
        expect(await store.bundles.document(9)).toBeNull();
      });

      it('take another signature, and nothing else of another document', async () => {
        const version = await store.bundles.insert(bundle('sum'));
        await store.bundles.resign(version, { document: '{"signed": 2}', key_id: 'key-2' });
        const { document: _former, ...facts } = bundle('sum', { key_id: 'key-2' });
        expect(await store.bundles.byVersion(version)).toEqual({ ...facts, version });
        expect(await store.bundles.document(version)).toBe('{"signed": 2}');
        const signed = { document: '{}', key_id: null };
        await expect(store.bundles.resign(9, signed)).rejects.toMatchObject({ code: 'not_found' });
      });

      it('are active one at a time', async () => {
        expect(await store.bundles.active()).toBeNull();
        const first = await store.bundles.insert(bundle('first'));
        const second = await store.bundles.insert(bundle('second'));
        await store.bundles.setState(first, 'active', {
          activated: { at: time(2), by: 'usr_2' },
          reason: 'rolled back',
        });
        expect(await store.bundles.active()).toMatchObject({
          version: first,
          activated_at: time(2),
          activated_by: 'usr_2',
          state_reason: 'rolled back',
        });
        await expect(store.bundles.setState(second, 'active', {})).rejects.toMatchObject({
          code: 'conflict',
        });
        await store.transaction(async (tx) => {
          await tx.bundles.setState(first, 'superseded', {});
          await tx.bundles.setState(second, 'active', {
            activated: { at: time(3), by: 'usr_1' },
          });
        });
        expect(await store.bundles.active()).toMatchObject({ version: second });
        expect(await store.bundles.byVersion(first)).toMatchObject({
          state: 'superseded',
          state_reason: null,
          activated_at: time(2),
          activated_by: 'usr_2',
        });
        await expect(store.bundles.setState(9, 'revoked', {})).rejects.toMatchObject({
          code: 'not_found',
        });
      });
    });

    describe('requests', () => {
      it('come back as they were put in', async () => {
        const full = request('req_1', {
          reason: 'why',
          narrowing: { role: 'analyst' },
          ttl_seconds: 60,
          metadata: { ticket: 'T-1' },
          masked_fields: ['email'],
        });
        await store.requests.insert(full);
        expect(await store.requests.byId('req_1')).toEqual(full);
        expect(await store.requests.byId('req_none')).toBeNull();
      });

      it('are counted by requester and state, and found by the end of their time', async () => {
        const of = (requester_id: string, expires_at: string) => ({ requester_id, expires_at });
        await store.requests.insert(request('req_1', of('usr_1', time(3))));
        await store.requests.insert(request('req_2', of('usr_1', time(4))));
        await store.requests.insert(request('req_3', of('usr_2', time(3))));
        await store.requests.transition('req_3', 'pending', { state: 'cancelled' });
        expect(await store.requests.count('usr_1', 'pending')).toBe(2);
        expect(await store.requests.count('usr_1', 'approved')).toBe(0);
        expect(await store.requests.count('usr_2', 'cancelled')).toBe(1);
        const over = async (expiredAt: string) =>
          (await store.requests.list({ states: ['pending'], expiredAt, limit: 10 })).map(
            ({ id }) => id,
          );
        expect(await over(time(2))).toEqual([]);
        expect(await over(time(3))).toEqual(['req_1']);
      });

      it('are listed newest first, by requester and state, page after page', async () => {
        for (let index = 1; index <= 7; index += 1) {
          await store.requests.insert(
            request(`req_${index}`, {
              requester_id: index % 2 === 0 ? 'usr_even' : 'usr_odd',
              state: index > 4 ? 'approved' : 'pending',
              // Two at the same time, to show that a page does not lose either.
              created_at: time(index === 4 ? 3 : index),
            }),
          );
        }
        const ids = async (filter: Parameters<Store['requests']['list']>[0]) =>
          (await store.requests.list(filter)).map(({ id }) => id);
        expect(await ids({ limit: 3 })).toEqual(['req_7', 'req_6', 'req_5']);
        expect(await ids({ limit: 1, beforeId: 'req_5' })).toEqual(['req_4']);
        expect(await ids({ limit: 5, beforeId: 'req_4' })).toEqual(['req_3', 'req_2', 'req_1']);
        expect(await ids({ limit: 9, requesterId: 'usr_even' })).toEqual([
          'req_6',
          'req_4',
          'req_2',
        ]);
        expect(await ids({ limit: 9, requesterId: 'usr_odd', states: ['pending'] })).toEqual([
          'req_3',
          'req_1',
        ]);
        expect(await ids({ limit: 9, states: ['approved', 'denied'] })).toHaveLength(3);
        expect(await ids({ limit: 9, states: [] })).toEqual([]);
        await expect(ids({ limit: 9, beforeId: 'req_none' })).rejects.toMatchObject({
          code: 'invalid_input',
        });
      });

      it('move only from the state they are in', async () => {
        await store.requests.insert(request('req_1'));
        const change = { state: 'approved', decided_at: time(4), masked_fields: ['a'] } as const;
        expect(await store.requests.transition('req_1', 'approved', change)).toBe(false);
        expect(await store.requests.transition('req_1', 'pending', change)).toBe(true);
        expect(await store.requests.transition('req_1', 'pending', { state: 'denied' })).toBe(
          false,
        );
        expect(await store.requests.byId('req_1')).toEqual({ ...request('req_1'), ...change });
        expect(await store.requests.transition('req_1', 'approved', {})).toBe(true);
        expect(await store.requests.transition('req_none', 'pending', {})).toBe(false);
      });

      it('that many decide about at once are decided once', async () => {
        await store.requests.insert(request('req_1'));
        const outcomes = await Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            store.transaction((tx) =>
              tx.requests.transition('req_1', 'pending', {
                state: index % 2 === 0 ? 'approved' : 'denied',
              }),
            ),
          ),
        );
        expect(outcomes.filter(Boolean)).toHaveLength(1);
      });
    });

    describe('approvals', () => {
      it('are one per person and request', async () => {
        await store.requests.insert(request('req_1'));
        const row = approval('req_1', 'usr_bob');
        await store.approvals.insert(row);
        await store.approvals.insert(approval('req_1', 'usr_eve', { created_at: time(9) }));
        await expect(store.approvals.insert({ ...row, verdict: 'denied' })).rejects.toMatchObject({
          code: 'already_decided',
        });
        const rows = await store.approvals.ofRequest('req_1');
        expect(rows.map(({ approver_id }) => approver_id)).toEqual(['usr_eve', 'usr_bob']);
        expect(rows[1]).toEqual(row);
      });

      it('are of a request that exists', async () => {
        await expect(store.approvals.insert(approval('req_none', 'usr_bob'))).rejects.toMatchObject(
          { code: 'conflict' },
        );
      });
    });

    describe('grants', () => {
      beforeEach(async () => {
        for (const id of ['req_1', 'req_2', 'req_3']) await store.requests.insert(request(id));
      });

      it('are one per request and revoked once', async () => {
        const row = grant('gr_1', 'req_1');
        await store.grants.insert(row);
        expect(await store.grants.byId('gr_1')).toEqual(row);
        expect(await store.grants.byRequest('req_1')).toEqual(row);
        expect(await store.grants.byRequest('req_2')).toBeNull();
        await expect(store.grants.insert(grant('gr_2', 'req_1'))).rejects.toMatchObject({
          code: 'conflict',
        });
        expect(await store.grants.revoke('gr_1', time(3), 'no longer needed')).toBe(true);
        expect(await store.grants.revoke('gr_1', time(4), 'again')).toBe(false);
        expect(await store.grants.byId('gr_1')).toEqual({
          ...row,
          revoked_at: time(3),
          revoke_reason: 'no longer needed',
        });
      });

      it('that expired in a span of time are found, revoked ones aside', async () => {
        await store.grants.insert(grant('gr_1', 'req_1', { expires_at: time(10) }));
        await store.grants.insert(grant('gr_2', 'req_2', { expires_at: time(20) }));
        await store.grants.insert(grant('gr_3', 'req_3', { expires_at: time(15) }));
        const expired = async (after: number, until: number) =>
          (await store.grants.expiredBetween(time(after), time(until), 10)).map(({ id }) => id);
        expect(await expired(10, 20)).toEqual(['gr_3', 'gr_2']);
        await store.grants.revoke('gr_3', time(12), 'x');
        expect(await expired(0, 30)).toEqual(['gr_1', 'gr_2']);
      });
    });

    describe('datasources', () => {
      it('come back as they were put in, by id', async () => {
        const crm = datasource('crm', { region: 'EU', include: ['public.*'], username: 'ada' });
        const app = datasource('app', { exclude: [] });
        await store.datasources.insert(crm);
        await store.datasources.insert(app);
        expect(await store.datasources.byId('crm')).toEqual(crm);
        expect(await store.datasources.list(10)).toEqual([app, crm]);
        expect(await store.datasources.list(1)).toEqual([app]);
        expect(await store.datasources.byId('none')).toBeNull();
        await expect(store.datasources.insert(datasource('crm'))).rejects.toMatchObject({
          code: 'conflict',
        });
      });

      it('change in what is named and in nothing else, and go', async () => {
        const row = datasource('crm', { include: ['public.*'], exclude: ['a.b'] });
        await store.datasources.insert(row);
        const change = { config: { host: 'ünï' }, include: null, updated_at: time(9) };
        expect(await store.datasources.update('crm', change)).toBe(true);
        expect(await store.datasources.byId('crm')).toEqual({ ...row, ...change });
        expect(await store.datasources.update('crm', {})).toBe(true);
        expect(await store.datasources.update('none', { region: 'EU' })).toBe(false);
        expect(await store.datasources.update('none', {})).toBe(false);
        expect(await store.datasources.remove('crm')).toBe(true);
        expect(await store.datasources.remove('crm')).toBe(false);
        expect(await store.datasources.byId('crm')).toBeNull();
      });
    });

    describe('sealed secrets', () => {
      it('are one for each thing, replaced by the next, and gone when they are removed', async () => {
        expect(await store.secrets.isEmpty()).toBe(true);
        const first = secret('crm', 'one');
        await store.secrets.put(first);
        await store.secrets.put(secret('app', 'two'));
        await store.secrets.put({ ...first, kind: 'connector' });
        expect(await store.secrets.get('datasource', 'crm')).toEqual(first);
        await store.secrets.put(secret('crm', 'three'));
        expect(await store.secrets.get('datasource', 'crm')).toEqual(secret('crm', 'three'));
        expect(await store.secrets.get('connector', 'crm')).toMatchObject({ salt: 'one' });
        expect(await store.secrets.ids('datasource')).toEqual(['app', 'crm']);
        expect(await store.secrets.remove('datasource', 'crm')).toBe(true);
        expect(await store.secrets.remove('datasource', 'crm')).toBe(false);
        expect(await store.secrets.get('datasource', 'crm')).toBeNull();
        expect(await store.secrets.isEmpty()).toBe(false);
      });

      it('are found by the master secret that they are not under, whatever their kind', async () => {
        const old = secret('crm', 'one');
        await store.secrets.put(old);
        await store.secrets.put({ ...secret('k', 'two'), kind: 'server_key' });
        await store.secrets.put({ ...secret('app', 'three'), key_id: 'mk_new' });
        expect(await store.secrets.notUnder('mk_new', 10)).toEqual([
          old,
          { ...secret('k', 'two'), kind: 'server_key' },
        ]);
        expect(await store.secrets.notUnder('mk_new', 1)).toHaveLength(1);
        expect(await store.secrets.notUnder('mk_new', 9, old)).toMatchObject([
          { kind: 'server_key' },
        ]);
        expect(await store.secrets.countByKey()).toEqual(
          expect.arrayContaining([
            { key_id: 'mk_new', secrets: 1 },
            { key_id: old.key_id, secrets: 2 },
          ]),
        );
        const resealed = { ...old, key_id: 'mk_new', nonce: 'another' };
        expect(await store.secrets.replace(old, resealed)).toBe(true);
        expect(await store.secrets.get('datasource', 'crm')).toEqual(resealed);
        // Somebody gave another password meanwhile: it stays.
        expect(await store.secrets.replace(old, { ...old, key_id: 'mk_new' })).toBe(false);
        expect(await store.secrets.get('datasource', 'crm')).toEqual(resealed);
      });

      it('go with the transaction that put them', async () => {
        const failing = store.transaction(async (tx) => {
          await tx.secrets.put(secret('crm', 'one'));
          throw new Error('no');
        });
        await expect(failing).rejects.toThrow('no');
        expect(await store.secrets.isEmpty()).toBe(true);
      });
    });

    describe('notifications', () => {
      const notification = (
        id: string,
        change: Partial<NotificationRow> = {},
      ): NotificationRow => ({
        id,
        channel: 'ops',
        state: 'waiting',
        notice: { event: 'grant.revoked', text: 'ünï' },
        created_at: time(1),
        attempts: 0,
        next_attempt_at: time(2),
        last_error: null,
        ...change,
      });

      it('wait for their time, channel by channel, until they are removed', async () => {
        const { notifications } = store;
        await notifications.insert(notification('ntf_2', { next_attempt_at: time(3) }));
        await notifications.insert(notification('ntf_1'));
        await notifications.insert(notification('ntf_3', { channel: 'mail' }));
        await notifications.insert(notification('ntf_4', { state: 'dead' }));
        const due = async (at: number, limit = 10) =>
          (await notifications.due('ops', time(at), limit)).map(({ id }) => id);
        expect(await due(1)).toEqual([]);
        expect(await due(2)).toEqual(['ntf_1']);
        expect(await due(3)).toEqual(['ntf_1', 'ntf_2']);
        expect(await due(3, 1)).toEqual(['ntf_1']);
        expect(await notifications.due('mail', time(9), 10)).toEqual([
          notification('ntf_3', { channel: 'mail' }),
        ]);
        const change = { attempts: 1, next_attempt_at: time(5), last_error: 'down' };
        expect(await notifications.update('ntf_1', change)).toBe(true);
        expect(await due(4)).toEqual(['ntf_2']);
        expect(await notifications.due('ops', time(5), 10)).toContainEqual(
          notification('ntf_1', change),
        );
        expect(await notifications.remove('ntf_1')).toBe(true);
        expect(await notifications.remove('ntf_1')).toBe(false);
        expect(await notifications.update('ntf_1', change)).toBe(false);
      });

      it('are found by state and age', async () => {
        await store.notifications.insert(notification('ntf_2', { created_at: time(2) }));
        await store.notifications.insert(notification('ntf_1'));
        await store.notifications.insert(notification('ntf_3', { state: 'dead' }));
        const idsBefore = async (state: NotificationRow['state'], at: number) =>
          (await store.notifications.before(state, time(at), 10)).map(({ id }) => id);
        expect(await idsBefore('waiting', 2)).toEqual(['ntf_1']);
        expect(await idsBefore('waiting', 3)).toEqual(['ntf_1', 'ntf_2']);
        expect(await idsBefore('dead', 3)).toEqual(['ntf_3']);
      });

      it('go with the transaction that made them', async () => {
        const failing = store.transaction(async (tx) => {
          await tx.notifications.insert(notification('ntf_1'));
          throw new Error('no');
        });
        await expect(failing).rejects.toThrow('no');
        expect(await store.notifications.due('ops', time(9), 10)).toEqual([]);
      });
    });

    describe('idempotency keys', () => {
      it('are one per requester, route and key', async () => {
        const row = {
          requester_id: 'usr_1',
          route: 'POST /requests',
          key: 'k',
          body_hash: 'h',
          request_id: 'req_1',
          created_at: time(1),
        };
        await store.idempotency.insert(row);
        expect(await store.idempotency.find('usr_1', 'POST /requests', 'k')).toEqual(row);
        expect(await store.idempotency.find('usr_2', 'POST /requests', 'k')).toBeNull();
        await expect(store.idempotency.insert({ ...row, body_hash: 'g' })).rejects.toMatchObject({
          code: 'conflict',
        });
        await store.idempotency.insert({ ...row, requester_id: 'usr_2' });
      });
    });

    describe('the audit log', () => {
      it('numbers, chains and signs what is appended', async () => {
        expect(await store.audit.head()).toBeNull();
        const first = await store.audit.append(event({ event: 'user.created' }));
        const second = await store.audit.append(event({ of: first.audit_id }));
        expect(second).toMatchObject({ seq: 2, prev_hash: first.hash, of: first.audit_id });
        expect(await store.audit.head()).toEqual({ seq: 2, hash: second.hash });
        expect(await store.audit.list({ order: 'asc', limit: 10 })).toEqual([first, second]);
        const verdict = await verifyChain([first, second], { keys: place.auditKeys });
        expect(verdict).toMatchObject({ ok: true, count: 2 });
      });

      it('is filtered by person, event, dataset, request and time, in either order', async () => {
        for (let index = 1; index <= 6; index += 1) {
          await store.audit.append(
            event({
              event: index % 2 === 0 ? 'query.executed' : 'request.denied',
              timestamp: time(index),
              requester: { user_id: index < 4 ? 'usr_1' : 'usr_2', kind: 'user' },
              request: { request_id: `req_${index % 3}`, dataset: index < 3 ? 'a' : 'b' },
            }),
          );
        }
        const seqs = async (filter: Partial<Parameters<Store['audit']['list']>[0]>) =>
          (await store.audit.list({ order: 'asc', limit: 10, ...filter })).map(({ seq }) => seq);
        expect(await seqs({ userId: 'usr_1' })).toEqual([1, 2, 3]);
        expect(await seqs({ event: 'query.executed' })).toEqual([2, 4, 6]);
        expect(await seqs({ dataset: 'a', order: 'desc' })).toEqual([2, 1]);
        expect(await seqs({ requestId: 'req_0' })).toEqual([3, 6]);
        expect(await seqs({ since: time(2), until: time(4) })).toEqual([2, 3]);
        expect(await seqs({ afterSeq: 4 })).toEqual([5, 6]);
        expect(await seqs({ beforeSeq: 4, order: 'desc', limit: 2 })).toEqual([3, 2]);
        expect(await seqs({ userId: 'usr_2', event: 'query.executed', afterSeq: 4 })).toEqual([6]);
      });

      it('is filtered alike across what is indexed together and what is not yet', async () => {
        for (let index = 1; index <= 300; index += 1) {
          const user_id = index % 100 === 0 ? 'usr_seldom' : 'usr_often';
          await store.audit.append(event({ requester: { user_id, kind: 'user' } }));
        }
        const seqs = async (filter: Partial<Parameters<Store['audit']['list']>[0]>) =>
          (await store.audit.list({ order: 'asc', limit: 1_000, ...filter })).map(({ seq }) => seq);
        expect(await seqs({ userId: 'usr_seldom' })).toEqual([100, 200, 300]);
        expect(await seqs({ userId: 'usr_seldom', order: 'desc', limit: 2 })).toEqual([300, 200]);
        expect(await seqs({ userId: 'usr_seldom', limit: 2 })).toEqual([100, 200]);
        expect(await seqs({ userId: 'usr_seldom', afterSeq: 200 })).toEqual([300]);
        expect(await seqs({ userId: 'usr_seldom', beforeSeq: 200 })).toEqual([100]);
        expect(await seqs({ userId: 'usr_often', beforeSeq: 258, afterSeq: 254 })).toEqual([
          255, 256, 257,
        ]);
        expect(await seqs({})).toHaveLength(300);
        expect(await seqs({ order: 'desc', limit: 3 })).toEqual([300, 299, 298]);
      });

      it('has no number for what was rolled back', async () => {
        await store.audit.append(event({}));
        const work = store.transaction(async (tx) => {
          await tx.audit.append(event({}));
          throw new Error('stop');
        });
        await expect(work).rejects.toThrow('stop');
        expect(await store.audit.append(event({}))).toMatchObject({ seq: 2 });
      });

      it('is one chain without gaps when 100 transactions race, some of which fail', async () => {
        const races = Array.from({ length: 100 }, (_, index) =>
          store.transaction(async (tx) => {
            await tx.users.insert(user(`usr_${index}`, { email: `${index % 90}@example.com` }));
            const record = await tx.audit.append(event({ metadata: { index } }));
            if (index % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
            return record;
          }),
        );
        const settled = await Promise.allSettled(races);
        const acknowledged = settled.flatMap((one) =>
          one.status === 'fulfilled' ? [one.value] : [],
        );
        expect(acknowledged).toHaveLength(90);
        const log = await store.audit.list({ order: 'asc', limit: 1_000 });
        expect(log.map(({ seq }) => seq)).toEqual(Array.from({ length: 90 }, (_, i) => i + 1));
        expect(new Set(log.map(({ audit_id }) => audit_id))).toEqual(
          new Set(acknowledged.map(({ audit_id }) => audit_id)),
        );
        expect(await verifyChain(log, { keys: place.auditKeys })).toMatchObject({ ok: true });
        expect(await store.users.list(1_000)).toHaveLength(90);
      });

      it('takes events that nothing else is written with, in their order and on disk', async () => {
        const many = Array.from({ length: 200 }, (_, index) =>
          store.record(event({ metadata: { index } })),
        );
        const beside = store.transaction((tx) => tx.audit.append(event({ event: 'user.created' })));
        const recorded = await Promise.all(many);
        await Promise.all([beside, ...recorded.map(({ onDisk }) => onDisk)]);
        const log = await store.audit.list({ order: 'asc', limit: 1_000 });
        expect(await verifyChain(log, { keys: place.auditKeys })).toMatchObject({
          ok: true,
          count: 201,
        });
        const own = log.filter(({ metadata }) => metadata?.index !== undefined);
        expect(own.map(({ metadata }) => metadata?.index)).toEqual(many.map((_, index) => index));
        expect(own.map(({ audit_id }) => audit_id)).toEqual(recorded.map(({ auditId }) => auditId));
      });

      it('takes no event under a revision that is no longer the store’s', async () => {
        await store.users.insert(user('usr_1'));
        const revision = store.revision();
        expect(await store.record(event({}), revision)).not.toBeNull();
        expect(await store.record(event({}), revision)).not.toBeNull();
        // The change has its turn before the record: it is asked for under what held when it was read.
        let release: () => void = () => undefined;
        let change: Promise<void> | undefined;
        await new Promise<void>((changed) => {
          change = store.transaction(async (tx) => {
            await tx.users.update('usr_1', { region: 'EU' });
            const released = new Promise<void>((resolve) => {
              release = resolve;
            });
            changed();
            await released;
          });
        });
        const late = store.record(event({}), revision);
        release();
        await change;
        expect(await late).toBeNull();
        expect(await store.record(event({}), revision)).toBeNull();
        expect(await store.record(event({}), store.revision())).not.toBeNull();
        expect(await store.audit.head()).toMatchObject({ seq: 3 });
      });

      it('gives records as they lie there, and takes out the first of them', async () => {
        const records = [];
        for (let index = 1; index <= 5; index += 1) {
          records.push(await store.audit.append(event({ timestamp: time(index) })));
        }
        const lines = await store.audit.lines({ order: 'asc', limit: 2, afterSeq: 3 });
        expect(lines.map(({ line }) => JSON.parse(line))).toEqual(records.slice(3));
        const [first, , third] = records.map(({ seq, hash, timestamp }) => ({
          seq,
          hash,
          timestamp,
        }));
        expect(await store.audit.hashes(0, 1)).toEqual([{ seq: 1, hash: first?.hash }]);
        expect(await store.audit.first()).toEqual(first);
        expect(await store.audit.removeUpTo(2)).toBe(2);
        expect(await store.audit.first()).toEqual(third);
        expect(await store.audit.at(2)).toBeNull();
        expect(await store.audit.list({ order: 'asc', limit: 9, event: 'query.executed' })).toEqual(
          records.slice(2),
        );
        // The last one stays: the next record is chained to it.
        expect(await store.audit.removeUpTo(99)).toBe(2);
        expect(await store.audit.append(event({}))).toMatchObject({ seq: 6 });
      });

      it('keeps one checkpoint up to a record', async () => {
        const rows = [3, 7, 9].map((seq) => ({ seq, timestamp: time(seq), jws: `jws ${seq}` }));
        expect(await store.auditCheckpoints.last()).toBeNull();
        for (const row of rows) await store.auditCheckpoints.insert(row);
        await expect(
          store.auditCheckpoints.insert({ seq: 7, timestamp: time(1), jws: 'another' }),
        ).rejects.toMatchObject({ code: 'conflict' });
        const list = store.auditCheckpoints.list;
        expect(await list({ order: 'asc', limit: 2 })).toEqual(rows.slice(0, 2));
        expect(await list({ order: 'asc', limit: 2, afterSeq: 3 })).toEqual(rows.slice(1));
        expect(await list({ order: 'desc', limit: 9, beforeSeq: 9 })).toEqual([rows[1], rows[0]]);
        expect(await store.auditCheckpoints.last()).toEqual(rows[2]);
        expect(await store.auditCheckpoints.bySeq(7)).toEqual(rows[1]);
        expect(await store.auditCheckpoints.bySeq(8)).toBeNull();
      });

      it('moves a sink on only from where it is', async () => {
        const sink = { name: 'archive', type: 's3' };
        const fresh = await store.auditSinks.begin(sink);
        expect(fresh).toMatchObject({ ...sink, seq: 0, checkpoint_seq: 0, failures: 0 });
        await store.auditSinks.failed('archive', { message: 'It is away.', at: time(1) });
        await store.auditSinks.failed('archive', { message: 'Still.', at: time(2) });
        expect(await store.auditSinks.list()).toEqual([
          { ...fresh, failures: 2, failed_at: time(2), last_error: 'Still.' },
        ]);
        const to = { seq: 5, checkpoint_seq: 3, at: time(3) };
        expect(await store.auditSinks.advance(fresh, to)).toBe(true);
        expect(await store.auditSinks.advance(fresh, { ...to, seq: 6 })).toBe(false);
        expect(await store.auditSinks.begin(sink)).toEqual({
          ...fresh,
          seq: 5,
          checkpoint_seq: 3,
          delivered_at: time(3),
        });
        const { seq, hash } = await store.audit.append(event({}));
        expect(await store.auditSinks.settled('archive', { seq, hash })).toBe(true);
        expect(await store.auditSinks.settled('archive', { seq, hash: 'another' })).toBe(false);
      });

      it('changes nothing that is decided when a checkpoint is kept or a sink moves on', async () => {
        await store.auditSinks.begin({ name: 'archive', type: 's3' });
        const revision = store.revision();
        const sink = await store.auditSinks.begin({ name: 'archive', type: 's3' });
        await store.auditCheckpoints.insert({ seq: 1, timestamp: time(1), jws: 'jws' });
        await store.auditSinks.advance(sink, { seq: 1, checkpoint_seq: 0, at: time(1) });
        await store.auditSinks.failed('archive', { message: 'It is away.', at: time(1) });
        await store.auditSinks.settled('archive', { seq: 1, hash: '' });
        await store.audit.removeUpTo(0);
        expect(store.revision()).toBe(revision);
      });

      it('refuses an event that is too large alone', async () => {
        const large = event({ metadata: { text: 'x'.repeat(RECORD_BYTES_MAX) } });
        const recorded = await Promise.allSettled([
          store.record(event({})),
          store.record(large),
          store.record(event({})),
        ]);
        expect(recorded.map(({ status }) => status)).toEqual([
          'fulfilled',
          'rejected',
          'fulfilled',
        ]);
        expect(await store.audit.head()).toMatchObject({ seq: 2 });
      });

      it('is still there, and goes on, when the store is opened again', async () => {
        const first = await store.audit.append(event({}));
        await store.close();
        store = await place.open();
        expect(await store.audit.list({ order: 'asc', limit: 10 })).toEqual([first]);
        expect(await store.audit.append(event({}))).toMatchObject({
          seq: 2,
          prev_hash: first.hash,
        });
      });
    });

    describe('a transaction that is over', () => {
      it.each([
        ['while it is taken back', (run: () => void) => void setImmediate(run)],
        ['afterwards', (run: () => void) => void setTimeout(run, 50)],
      ])('runs nothing more, %s', async (_when, later) => {
        const late: Promise<unknown>[] = [];
        const failed = store.transaction(async (tx) => {
          await tx.users.insert(user('usr_1'));
          later(() => late.push(tx.users.insert(user('usr_late')).catch((error) => error)));
          throw new Error('no');
        });
        await expect(failed).rejects.toThrow('no');
        while (late.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
        expect(await late[0]).toBeInstanceOf(Error);
        expect(await store.users.list(10)).toEqual([]);
        await store.users.insert(user('usr_2'));
        expect(await store.users.list(10)).toHaveLength(1);
      });
    });

    describe('tickets', () => {
      it('are redeemed once and in time', async () => {
        const ticket = { id: 'tkt_1', grant_id: 'gr_1', expires_at: time(5) };
        await store.tickets.insert(ticket);
        await store.tickets.insert({ ...ticket, id: 'tkt_2' });
        await store.tickets.insert({ ...ticket, id: 'tkt_3', expires_at: time(9) });
        const both = await Promise.all([
          store.tickets.redeem('tkt_1', time(4)),
          store.tickets.redeem('tkt_1', time(4)),
        ]);
        expect(both.filter((row) => row !== null)).toEqual([ticket]);
        expect(await store.tickets.redeem('tkt_2', time(5))).toBeNull();
        await store.tickets.removeExpired(time(5));
        expect(await store.tickets.redeem('tkt_2', time(1))).toBeNull();
        expect(await store.tickets.redeem('tkt_3', time(8))).not.toBeNull();
      });
    });

    describe('work that one does at a time', () => {
      it('is not done by a second one meanwhile, and is free again afterwards, also when it failed', async () => {
        let end: () => void = () => undefined;
        let first: Promise<boolean> | undefined;
        await new Promise<void>((started) => {
          first = store.exclusively('sweep', () => {
            started();
            return new Promise<void>((resolve) => {
              end = resolve;
            });
          });
        });
        const never = async () => expect.unreachable();
        expect(await store.exclusively('sweep', never)).toBe(false);
        expect(await store.exclusively('another', async () => {})).toBe(true);
        end();
        expect(await first).toBe(true);
        const failing = store.exclusively('sweep', async () => {
          throw new Error('no');
        });
        await expect(failing).rejects.toThrow('no');
        expect(await store.exclusively('sweep', async () => {})).toBe(true);
      });
    });

    describe('its revision', () => {
      it('rises with each change, also one that is taken back, and not with reading or the log', async () => {
        let before = store.revision();
        const rises = async (change: () => Promise<unknown>) => {
          await change().catch(() => undefined);
          const risen = store.revision() > before;
          before = store.revision();
          return risen;
        };
        expect(await rises(() => store.users.insert(user('usr_1')))).toBe(true);
        expect(await rises(() => store.users.update('usr_1', { region: 'EU' }))).toBe(true);
        expect(await rises(() => store.sessions.insert(session('ses_1', 'usr_1')))).toBe(true);
        expect(await rises(() => store.sessions.revoke('ses_1', time(2)))).toBe(true);
        expect(
          await rises(() =>
            store.organisation.create({
              slug: 'acme',
              epoch: 0,
              highest_sequence: null,
              created_at: time(1),
            }),
          ),
        ).toBe(true);
        expect(await rises(() => store.organisation.setEpoch(2, 1))).toBe(true);
        expect(
          await rises(() =>
            store.transaction(async (tx) => {
              await tx.users.update('usr_1', { region: 'US' });
              throw new Error('stop');
            }),
          ),
        ).toBe(true);
        expect(await rises(() => store.users.byId('usr_1'))).toBe(false);
        expect(await rises(() => store.users.list(10))).toBe(false);
        expect(await rises(() => store.audit.append(event({})))).toBe(false);
        expect(await rises(() => store.record(event({})))).toBe(false);
      });
    });

    describe('a transaction', () => {
      it('is kept whole or not at all, and sees its own writes', async () => {
        const work = store.transaction(async (tx) => {
          await tx.users.insert(user('usr_1'));
          expect(await tx.users.byId('usr_1')).not.toBeNull();
          await tx.users.insert(user('usr_1'));
        });
        await expect(work).rejects.toMatchObject({ code: 'conflict' });
        expect(await store.users.byId('usr_1')).toBeNull();
        const kept = await store.transaction(async (tx) => {
          await tx.users.insert(user('usr_1'));
          return 'done';
        });
        expect(kept).toBe('done');
        expect(await store.users.byId('usr_1')).not.toBeNull();
      });

      it('is not seen by others before it is over', async () => {
        let arrived = () => {};
        const half = new Promise<void>((resolve) => {
          arrived = resolve;
        });
        const writing = store.transaction(async (tx) => {
          await tx.users.insert(user('usr_1'));
          arrived();
          await new Promise((resolve) => setTimeout(resolve, 20));
          throw new Error('stop');
        });
        await half;
        const seen = store.users.byId('usr_1');
        await expect(writing).rejects.toThrow('stop');
        expect(await seen).toBeNull();
      });

      it('that uses the store in place of itself is told so instead of waiting for itself', async () => {
        const nested = store.transaction(() => store.users.byId('usr_1'));
        await expect(nested).rejects.toMatchObject({ code: 'internal' });
        const twice = store.transaction(() => store.transaction(async () => 1));
        await expect(twice).rejects.toMatchObject({ code: 'internal' });
        expect(await store.users.byId('usr_1')).toBeNull();
      });

      it('cannot be written to once it is over', async () => {
        let kept: Parameters<Parameters<Store['transaction']>[0]>[0] | undefined;
        await store.transaction(async (tx) => {
          kept = tx;
        });
        await expect(kept?.users.insert(user('usr_1'))).rejects.toThrow();
        expect(await store.users.byId('usr_1')).toBeNull();
      });
    });

    it('refuses a list longer than it holds, instead of leaving rows out', async () => {
      await expect(store.users.list(10_001)).rejects.toMatchObject({ code: 'limit_exceeded' });
      await expect(store.users.list(Number.NaN)).rejects.toMatchObject({ code: 'limit_exceeded' });
    });

    it('answers nothing once it is closed, and may be closed twice', async () => {
      await store.close();
      await expect(store.users.list(1)).rejects.toMatchObject({ code: 'unavailable' });
      await store.close();
    });
  });
}

function time(second: number): string {
  return new Date(Date.UTC(2026, 2, 1, 10, 0, second)).toISOString();
}

function event(change: Partial<AuditEvent>): AuditEvent {
  return { event: 'query.executed', timestamp: time(1), ...change };
}

function user(id: string, change: Partial<UserRow> = {}): UserRow {
  return {
    id,
    email: `${id}@example.com`,
    password_hash: '$scrypt$…',
    roles: ['analyst', 'engineer'],
    clearance: null,
    region: null,
    purposes: [],
    created_at: time(1),
    disabled_at: null,
    login: 'password',
    oidc_subject: null,
    ...change,
  };
}

function session(id: string, userId: string): SessionRow {
  return {
    id,
    user_id: userId,
    token_hash: `hash of ${id}`,
    created_at: time(1),
    expires_at: time(50),
    revoked_at: null,
    method: 'password',
    client: null,
    address: null,
  };
}

function agentToken(id: string, change: Partial<AgentTokenRow> = {}): AgentTokenRow {
  return {
    id,
    name: 'reports',
    prefix: 'vka_12345678',
    token_hash: `hash of ${id}`,
    roles: ['reporting'],
    clearance: 'low',
    region: null,
    purposes: ['reports'],
    datasources: null,
    on_behalf_of: null,
    created_by: 'usr_1',
    created_at: time(1),
    expires_at: null,
    revoked_at: null,
    ...change,
  };
}

function bundle(checksum: string, change: Partial<BundleRow> = {}): Omit<BundleRow, 'version'> {
  return {
    checksum,
    sequence: 7,
    state: 'uploaded',
    document: '{}',
    bundle_version: 'c'.repeat(40),
    expires_at: null,
    key_id: 'key-1',
    uploaded_by: 'usr_1',
    uploaded_at: time(1),
    activated_at: null,
    activated_by: null,
    state_reason: null,
    ...change,
  };
}

function datasource(id: string, change: Partial<DatasourceRow> = {}): DatasourceRow {
  return {
    id,
    engine: 'postgres',
    environment: 'production',
    region: null,
    config: { host: 'db.internal', port: 5432 },
    include: null,
    exclude: null,
    username: null,
    created_at: time(1),
    updated_at: time(1),
    ...change,
  };
}

function secret(id: string, text: string): SecretRow {
  const parts = { salt: text, nonce: text, ciphertext: text, tag: text };
  return { kind: 'datasource', id, key_id: 'mk_1', ...parts };
}

function request(id: string, change: Partial<RequestRow> = {}): RequestRow {
  return {
    id,
    requester_kind: 'user',
    requester_id: 'usr_1',
    aql: { source_table: 'customers', columns: ['id', 'email'] } as RequestRow['aql'],
    aql_hash: 'a'.repeat(64),
    datasource: 'shop',
    purpose: null,
    reason: null,
    metadata: {},
    narrowing: {},
    ttl_seconds: null,
    state: 'pending',
    denial_type: null,
    state_reason: null,
    decision: null,
    masked_fields: [],
    created_at: time(1),
    expires_at: time(59),
    decided_at: null,
    ...change,
  };
}

function approval(
  requestId: string,
  approverId: string,
  change: { created_at?: string } = {},
): Parameters<Store['approvals']['insert']>[0] {
  return {
    request_id: requestId,
    approver_id: approverId,
    verdict: 'approved',
    notes: null,
    ttl_seconds: null,
    roles: ['lead'],
    created_at: time(2),
    ...change,
  };
}

function grant(id: string, requestId: string, change: Partial<GrantRow> = {}): GrantRow {
  return {
    id,
    request_id: requestId,
    requester_id: 'usr_1',
    datasource: 'shop',
    jwt: 'header.payload.signature',
    bundle_checksum: 'b'.repeat(64),
    epoch: 1,
    created_at: time(1),
    expires_at: time(30),
    revoked_at: null,
    revoke_reason: null,
    ...change,
  };
}
