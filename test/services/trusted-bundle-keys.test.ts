import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTrustedBundleKeys } from '../../src/services/trusted-bundle-keys.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

describe('the keys that bundles may be signed with', () => {
  it('hold from the moment their file is there', async () => {
    const path = join(await temporaryFolder(), 'vkit_pub.pem');
    expect(await readTrustedBundleKeys([path])).toEqual({ keys: [], missing: [path] });
    const { publicKey } = generateKeyPairSync('ed25519');
    await writeFile(path, publicKey.export({ format: 'pem', type: 'spki' }));
    const { keys, missing } = await readTrustedBundleKeys([path]);
    expect([keys[0]?.equals(publicKey), missing]).toEqual([true, []]);
  });

  it('are never private ones, nor files of another kind', async () => {
    const path = join(await temporaryFolder(), 'key.pem');
    const { privateKey } = generateKeyPairSync('ed25519');
    await writeFile(path, privateKey.export({ format: 'pem', type: 'pkcs8' }));
    await expect(readTrustedBundleKeys([path])).rejects.toMatchObject({ code: 'key_invalid' });
    await writeFile(path, 'no key');
    await expect(readTrustedBundleKeys([path])).rejects.toMatchObject({ code: 'key_invalid' });
  });
});
