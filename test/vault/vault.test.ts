import { createDecipheriv, pbkdf2Sync } from 'node:crypto';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createMasterSource, type MasterSourceOptions } from '../../src/vault/master-secret.js';
import type { SealedSecret, SecretAddress } from '../../src/vault/sealed-secret.js';
import { createVault } from '../../src/vault/vault.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

const ADDRESS: SecretAddress = {
  org: 'acme',
  kind: 'datasource',
  id: 'crm',
  endpoint: '{"host":"db.internal"}',
};
const PASSWORD = 'pässwörd, \ufeffnobody guesses\n';
const MASTER = 'a long master secret';

function vaultOf(options: Partial<MasterSourceOptions> = {}) {
  const source = createMasterSource({
    org: 'acme',
    text: MASTER,
    ownFile: '/nowhere/master.key',
    isAnythingSealed: async () => false,
    ...options,
  });
  return createVault(source);
}

/** The text with one bit of one of its characters changed. */
function flipped(text: string, at: number, bit: number): string {
  const bytes = Buffer.from(text, 'utf8');
  bytes[at] = (bytes[at] ?? 0) ^ bit;
  return bytes.toString('utf8');
}

describe('the vault', () => {
  it('opens what it sealed, and keeps nothing of it at rest', async () => {
    const vault = vaultOf();
    const sealed = await vault.seal(ADDRESS, PASSWORD);
    expect(Object.keys(sealed).sort()).toEqual(['ciphertext', 'key_id', 'nonce', 'salt', 'tag']);
    expect(await vault.open(ADDRESS, sealed)).toBe(PASSWORD);
    // Another process with the same master secret.
    expect(await vaultOf().open(ADDRESS, sealed)).toBe(PASSWORD);
    expect(Buffer.from(sealed.salt, 'base64')).toHaveLength(16);
    expect(Buffer.from(sealed.nonce, 'base64')).toHaveLength(12);
    expect(Buffer.from(sealed.tag, 'base64')).toHaveLength(16);
    expect(JSON.stringify(sealed)).not.toContain(MASTER);
    expect(await vault.open(ADDRESS, await vault.seal(ADDRESS, ''))).toBe('');
  });

  it('seals as the contract says: a second reading of it opens a record', async () => {
    const sealed = await vaultOf().seal(ADDRESS, PASSWORD);
    const part = (name: keyof SealedSecret) => Buffer.from(sealed[name], 'base64');
    const key = pbkdf2Sync(MASTER, part('salt'), 600_000, 32, 'sha256');
    const decipher = createDecipheriv('aes-256-gcm', key, part('nonce'));
    const { org, kind, id, endpoint } = ADDRESS;
    decipher.setAAD(Buffer.from(JSON.stringify(['vkit-secret-v1', org, kind, id, endpoint])));
    decipher.setAuthTag(part('tag'));
    const plain = Buffer.concat([decipher.update(part('ciphertext')), decipher.final()]);
    expect(plain.toString()).toBe(PASSWORD);
  });

  it('seals the same secret differently each time', async () => {
    const vault = vaultOf();
    const [one, two] = [await vault.seal(ADDRESS, PASSWORD), await vault.seal(ADDRESS, PASSWORD)];
    expect(one.key_id).toBe(two.key_id);
    for (const part of ['salt', 'nonce', 'ciphertext', 'tag'] as const)
      expect(one[part]).not.toBe(two[part]);
  });

  it('refuses a record with any bit of any byte changed, and never gives something else', {
    timeout: 120_000,
  }, async () => {
    const vault = vaultOf();
    const sealed = await vault.seal(ADDRESS, 'x');
    let tried = 0;
    for (const part of Object.keys(sealed) as (keyof SealedSecret)[]) {
      const length = Buffer.from(sealed[part], 'utf8').length;
      for (let at = 0; at < length; at += 1) {
        // A salt that reads well costs a key: a few of its bits stand for all of them.
        for (const bit of part === 'salt' ? [1] : [1, 2, 4, 8, 16, 32, 64]) {
          const changed = { ...sealed, [part]: flipped(sealed[part], at, bit) };
          await expect(vault.open(ADDRESS, changed), `${part}[${at}]`).rejects.toMatchObject({
            code: 'vault_failed',
          });
          tried += 1;
        }
      }
      for (const text of ['', `${sealed[part]}A`, sealed[part].slice(0, -4), `${sealed[part]}\n`]) {
        const changed = { ...sealed, [part]: text };
        await expect(vault.open(ADDRESS, changed), part).rejects.toMatchObject({
          code: 'vault_failed',
        });
      }
    }
    expect(tried).toBeGreaterThan(300);
  });

  it.each([
    ['organisation', { org: 'other' }],
    ['kind', { kind: 'connector' }],
    ['id', { id: 'erp' }],
    ['endpoint', { endpoint: '{"host":"evil.example"}' }],
    // The parts are apart, wherever a quote or a comma stands.
    ['id that runs into the endpoint', { id: 'crm","{\\"host', endpoint: '\\":' }],
  ])('opens a secret for no other %s', async (_what, change) => {
    const vault = vaultOf();
    const sealed = await vault.seal(ADDRESS, PASSWORD);
    await expect(vault.open({ ...ADDRESS, ...change }, sealed)).rejects.toMatchObject({
      code: 'vault_failed',
    });
  });

  it('opens nothing with another master secret, or in another organisation', async () => {
    const sealed = await vaultOf().seal(ADDRESS, PASSWORD);
    const failed = { code: 'vault_failed' };
    await expect(
      vaultOf({ text: 'another master secret' }).open(ADDRESS, sealed),
    ).rejects.toMatchObject(failed);
    await expect(vaultOf({ org: 'other' }).open(ADDRESS, sealed)).rejects.toMatchObject(failed);
  });

  it('refuses what is too long, and what is no text', async () => {
    const vault = vaultOf();
    await expect(vault.seal(ADDRESS, 'x'.repeat(70_000))).rejects.toMatchObject({
      code: 'limit_exceeded',
    });
    await expect(vault.seal(ADDRESS, 'a\0b')).rejects.toMatchObject({ code: 'validation' });
  });

  it('leaves the event loop to others while it derives keys', async () => {
    const vault = vaultOf();
    await vault.seal(ADDRESS, PASSWORD);
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 5);
    await Promise.all([1, 2, 3, 4].map(() => vault.seal(ADDRESS, PASSWORD)));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(10);
  });
});

describe('the master secret', () => {
  it('comes from the environment, a file, or is made when it is first needed', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'master.txt');
    const ownFile = join(folder, 'master.key');
    await writeFile(file, `${MASTER}\n`, { mode: 0o600 });
    const sealed = await vaultOf({ ownFile }).seal(ADDRESS, PASSWORD);
    await expect(stat(ownFile)).rejects.toMatchObject({ code: 'ENOENT' });
    const options: Partial<MasterSourceOptions> = { file, ownFile };
    const fromFile = createVault(
      createMasterSource({ org: 'acme', file, ownFile, isAnythingSealed: async () => true }),
    );
    expect(await fromFile.open(ADDRESS, sealed)).toBe(PASSWORD);
    expect(await vaultOf(options).open(ADDRESS, sealed)).toBe(PASSWORD);
    const own = (isAnythingSealed = false) =>
      createVault(
        createMasterSource({
          org: 'acme',
          ownFile,
          isAnythingSealed: async () => isAnythingSealed,
        }),
      );
    // Opening makes none: what it would open was sealed under another.
    await expect(own().open(ADDRESS, sealed)).rejects.toMatchObject({ code: 'key_invalid' });
    const made = await own().seal(ADDRESS, PASSWORD);
    expect((await stat(ownFile)).mode & 0o777).toBe(0o600);
    expect(await own(true).open(ADDRESS, made)).toBe(PASSWORD);
    expect(Buffer.from(await readFile(ownFile, 'utf8'), 'base64')).toHaveLength(32);
  });

  it('is not made anew where something is sealed under one that is lost', async () => {
    const ownFile = join(await temporaryFolder(), 'master.key');
    const vault = createVault(
      createMasterSource({ org: 'acme', ownFile, isAnythingSealed: async () => true }),
    );
    await expect(vault.seal(ADDRESS, PASSWORD)).rejects.toMatchObject({ code: 'key_invalid' });
  });

  it('is refused where it is short, missing, or readable by others, and can be mended meanwhile', async () => {
    await expect(vaultOf({ text: 'hunter2' }).seal(ADDRESS, 'x')).rejects.toMatchObject({
      code: 'key_invalid',
      message: expect.not.stringContaining('hunter2'),
    });
    const file = join(await temporaryFolder(), 'master.txt');
    const vault = createVault(
      createMasterSource({
        org: 'acme',
        file,
        ownFile: '/nowhere/master.key',
        isAnythingSealed: async () => false,
      }),
    );
    await expect(vault.seal(ADDRESS, 'x')).rejects.toMatchObject({ code: 'key_invalid' });
    await writeFile(file, MASTER);
    await chmod(file, 0o640);
    await expect(vault.seal(ADDRESS, 'x')).rejects.toMatchObject({ code: 'key_exposed' });
    await chmod(file, 0o600);
    expect(await vault.open(ADDRESS, await vault.seal(ADDRESS, 'x'))).toBe('x');
  });

  it('is checked where it is configured, and nothing is made for that', async () => {
    const folder = await temporaryFolder();
    const ownFile = join(folder, 'master.key');
    const isAnythingSealed = async () => true;
    const source = (given: { text?: string; file?: string }) =>
      createMasterSource({ org: 'acme', ownFile, isAnythingSealed, ...given });
    await source({}).check();
    await source({ text: MASTER, file: join(folder, 'none') }).check();
    for (const given of [{ text: 'short' }, { file: join(folder, 'none') }])
      await expect(source(given).check()).rejects.toMatchObject({ code: 'key_invalid' });
    await expect(stat(ownFile)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is named by an id that needs as long to be tried as a sealed secret', async () => {
    const { key_id } = await vaultOf().seal(ADDRESS, 'x');
    expect(key_id).toMatch(/^mk_[0-9a-f]{16}$/);
  });
});
