import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { calculateJwkThumbprint } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { auditSigner, loadServerKeys } from '../../src/services/server-keys.js';

let home: string;
let dataDir: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'vkit-keys-'));
  dataDir = join(home, 'data');
});

afterEach(() => rm(home, { recursive: true, force: true }));

describe('the first start', () => {
  it('makes keys that only this account can read, and the next start uses them', async () => {
    const keys = await loadServerKeys(dataDir);
    expect((await readdir(join(dataDir, 'keys'))).sort()).toEqual([
      'audit_hmac.key',
      'audit_priv.pem',
      'grant_priv.pem',
      'token_1.key',
    ]);
    for (const name of await readdir(join(dataDir, 'keys'))) {
      expect((await stat(join(dataDir, 'keys', name))).mode & 0o777).toBe(0o600);
    }
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    expect(keys.grant.kid).not.toBe(keys.audit.kid);
    expect(keys.grant.kid).toBe(await calculateJwkThumbprint(keys.grant.publicKey));
    const again = await loadServerKeys(dataDir);
    expect([again.grant.kid, again.audit.kid]).toEqual([keys.grant.kid, keys.audit.kid]);
    expect(again.auditHmacKey.equals(keys.auditHmacKey)).toBe(true);
    expect(again.tokenKeys).toEqual([{ version: 1, key: keys.tokenKeys[0]?.key }]);
    expect(again.tokenKeys[0]?.key.equals(keys.tokenKeys[0]?.key ?? again.auditHmacKey)).toBe(true);
  });

  it('gives processes that start at once the same keys', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => loadServerKeys(dataDir)));
    expect(new Set(all.map(({ grant }) => grant.kid)).size).toBe(1);
    expect(new Set(all.map(({ auditHmacKey }) => auditHmacKey.export().toString('hex'))).size).toBe(
      1,
    );
  });

  it('closes an empty directory to others, and leaves one with other files alone', async () => {
    await mkdir(dataDir);
    await chmod(dataDir, 0o755);
    await loadServerKeys(dataDir);
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    const shared = join(home, 'shared');
    await mkdir(shared);
    await chmod(shared, 0o755);
    await writeFile(join(shared, 'notes.txt'), 'mine');
    await expect(loadServerKeys(shared)).rejects.toMatchObject({ code: 'config_invalid' });
    expect((await stat(shared)).mode & 0o777).toBe(0o755);
  });
});

describe('keys that are not right', () => {
  it('are not replaced when they are missing beside a database', async () => {
    await loadServerKeys(dataDir);
    await writeFile(join(dataDir, 'vkit.db'), '');
    await rm(join(dataDir, 'keys', 'audit_priv.pem'));
    await expect(loadServerKeys(dataDir)).rejects.toMatchObject({
      code: 'key_invalid',
      message: expect.stringContaining('audit_priv.pem'),
    });
    expect(await readdir(join(dataDir, 'keys'))).not.toContain('audit_priv.pem');
  });

  it('are refused when others can read them', async () => {
    await loadServerKeys(dataDir);
    await chmod(join(dataDir, 'keys', 'grant_priv.pem'), 0o640);
    await expect(loadServerKeys(dataDir)).rejects.toMatchObject({ code: 'key_exposed' });
  });

  it.each([
    ['grant_priv.pem', 'nothing of a key'],
    [
      'audit_priv.pem',
      generateKeyPairSync('ec', { namedCurve: 'P-256' })
        .privateKey.export({ format: 'pem', type: 'pkcs8' })
        .toString(),
    ],
    ['audit_hmac.key', 'c2hvcnQ='],
    ['token_1.key', 'c2hvcnQ='],
  ])('are refused without showing them when %s holds another thing', async (name, content) => {
    await loadServerKeys(dataDir);
    await writeFile(join(dataDir, 'keys', name), content);
    const refused = await loadServerKeys(dataDir).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'key_invalid', message: expect.stringContaining(name) });
    expect(String(refused)).not.toContain(content);
    expect(await readFile(join(dataDir, 'keys', name), 'utf8')).toBe(content);
  });
});

describe('token keys', () => {
  const later = join('keys', 'token_2.key');

  it('are all that lie there, of which the first may be retired', async () => {
    await loadServerKeys(dataDir);
    await writeFile(join(dataDir, 'vkit.db'), '');
    await writeFile(join(dataDir, later), `${'A'.repeat(43)}=\n`, { mode: 0o600 });
    const versions = async () =>
      (await loadServerKeys(dataDir)).tokenKeys.map(({ version }) => version).sort();
    expect(await versions()).toEqual([1, 2]);
    await rm(join(dataDir, 'keys', 'token_1.key'));
    expect(await versions()).toEqual([2]);
    await rm(join(dataDir, later));
    await expect(versions()).rejects.toMatchObject({
      code: 'key_invalid',
      message: expect.stringContaining('token_1.key'),
    });
  });

  it('are refused when others can read them', async () => {
    await loadServerKeys(dataDir);
    await writeFile(join(dataDir, later), `${'A'.repeat(43)}=\n`, { mode: 0o644 });
    await expect(loadServerKeys(dataDir)).rejects.toMatchObject({ code: 'key_exposed' });
  });
});

describe('the audit signer', () => {
  it('signs with the audit key', async () => {
    const keys = await loadServerKeys(dataDir);
    const signer = auditSigner(keys);
    expect(signer.kid).toBe(keys.audit.kid);
    expect(signer.sign(Buffer.from('x'))).toHaveLength(64);
  });
});
