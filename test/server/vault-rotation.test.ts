import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type App, openApp } from '../../src/app.js';
import { ENGINES } from '../../src/engines/index.js';
import type { Identity } from '../../src/services/control/identity.js';
import { rotateVault } from '../../src/services/control/rotate-vault.js';
import { sealPassword, vaultCredentials } from '../../src/services/datasource-vault.js';
import type { DatasourceRow } from '../../src/store/model.js';
import { governed } from '../helpers/governed.js';
import { sqliteShop } from '../helpers/shop.js';

const CALL = { correlationId: 'cor_1' };
const AT = '2026-03-02T10:00:00.000Z';
const IDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const CONFIG = { host: '127.0.0.1', database: 'd' };

function rowOf(id: string): DatasourceRow {
  const empty = { region: null, include: null, exclude: null };
  const times = { created_at: AT, updated_at: AT };
  return {
    id,
    engine: 'postgres',
    environment: 'p',
    config: CONFIG,
    username: 'u',
    ...empty,
    ...times,
  };
}

const passwordOf = async ({ context }: App, id: string) => {
  const datasource = { name: id, type: 'postgres', config: CONFIG };
  const ctx = { ...context, clearPasswordHosts: [] };
  return (await vaultCredentials(ctx, datasource, ENGINES.postgres)).password;
};

describe('a rotation of the vault', () => {
  it('seals every kind anew while both masters open, goes on where it was interrupted, and keeps what was changed', async () => {
    const g = await governed(await sqliteShop());
    const { context } = g.app;
    const admin = await context.authenticate(g.admin);
    const before = await context.vault.sealsUnder();
    for (const id of IDS) await context.store.datasources.insert(rowOf(id));
    await Promise.all(
      IDS.map(async (id) =>
        context.store.secrets.put(
          await sealPassword(context, rowOf(id), ENGINES.postgres, `password ${id}`),
        ),
      ),
    );
    const address = { org: 'acme', kind: 'server_key', id: 'grant', endpoint: '' };
    await context.store.secrets.put({
      ...{ kind: 'server_key', id: 'grant' },
      ...(await context.vault.seal(address, 'a private key')),
    });
    expect(await rotateVault(context, admin, undefined, CALL)).toMatchObject({
      ...{ resealed: 0, remaining: 0, next: null, key_id: before },
    });
    await g.server.close();
    await g.app.close();

    const masterKey = 'another long master secret';
    const reopen = async (options: object) => {
      const app = await openApp({
        ...{ config: g.config, cwd: g.folder, variables: () => ({}), now: () => g.clock.now },
        ...options,
      });
      onTestFinished(() => app.close());
      return app;
    };
    const second = await reopen({ masterKey });
    // What the server made for itself opens still.
    expect(await passwordOf(second, 'a')).toBe('password a');
    const first = await rotateVault(second.context, admin, undefined, CALL);
    expect(first).toMatchObject({ resealed: 8, failed: [], remaining: 1 });
    expect(first.key_id).not.toBe(before);
    expect(first.next).toEqual({ kind: 'datasource', id: 'h' });
    // Interrupted: the next one begins anew and does what is left.
    const [rest, other] = await Promise.allSettled([
      rotateVault(second.context, admin, undefined, CALL),
      rotateVault(second.context, admin, undefined, CALL),
    ]);
    expect(rest).toMatchObject({ value: { resealed: 1, failed: [], remaining: 0, next: null } });
    expect(other).toMatchObject({ reason: { code: 'conflict' } });
    const records = await second.context.store.audit.list({
      ...{ order: 'asc', limit: 10, event: 'vault.rotated' },
    });
    expect(records.map(({ metadata }) => metadata)).toMatchObject([
      { resealed: 8, failed: 0 },
      { resealed: 1, failed: 0 },
    ]);
    expect(JSON.stringify(records)).not.toContain('password');
    await second.close();

    // The one before is not needed any more; what is damaged, unknown or nobody's is named and left as it is.
    const oldFile = join(g.folder, 'old');
    await writeFile(oldFile, 'a third long master secret', { mode: 0o600 });
    const third = await reopen({
      masterKey: 'a fourth long master secret',
      previousMasterKey: masterKey,
      config: { ...g.config, previous_master_key_files: [oldFile] },
    });
    const { store } = third.context;
    const damaged = await store.secrets.get('datasource', 'b');
    if (!damaged) throw new Error('There is no secret.');
    for (const id of IDS.slice(2)) await store.secrets.remove('datasource', id);
    await store.secrets.put({ ...damaged, tag: Buffer.alloc(16).toString('base64') });
    await store.secrets.put({ ...damaged, id: 'gone' });
    await store.secrets.put({ ...damaged, kind: 'unheard-of' });
    const last = await rotateVault(third.context, admin, undefined, CALL);
    expect(last).toMatchObject({ resealed: 2, remaining: 3, next: null });
    expect(last.failed.map(({ kind, id }) => `${kind} ${id}`).sort()).toEqual([
      ...['datasource b', 'datasource gone', 'unheard-of b'],
    ]);
    expect(await passwordOf(third, 'a')).toBe('password a');
    const key = await store.secrets.get('server_key', 'grant');
    if (!key) throw new Error('There is no key.');
    const { kind: _kind, id: _id, ...sealed } = key;
    expect(await third.context.vault.open(address, sealed)).toBe('a private key');
  });

  it('is for administrators alone', async () => {
    const g = await governed(await sqliteShop());
    const path = '/orgs/acme/vault/rotate';
    const dba = await g.user({ email: 'dba@acme.test', roles: ['datasource_admin'] });
    expect((await g.call(dba, 'POST', path, {})).status).toBe(403);
    expect((await g.call('', 'POST', path, {})).status).toBe(401);
    expect((await g.call(g.admin, 'POST', path, { surprise: 1 })).status).toBe(400);
    expect(await g.call(g.admin, 'POST', path, {})).toMatchObject({
      status: 200,
      body: { resealed: 0, remaining: 0, failed: [], next: null },
    });
    const agent = { kind: 'agent', roles: ['admin'] } as unknown as Identity;
    await expect(rotateVault(g.app.context, agent, undefined, CALL)).rejects.toMatchObject({
      code: 'forbidden',
    });
  });
});
