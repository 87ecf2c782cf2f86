import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../src/store/open-store.js';
import { KEYS, SIGNER } from '../audit/chain-fixture.js';
import { type StoreUnderTest, storeConformance } from '../conformance/store.js';

/** Every store there is; a new one is one entry. */
const STORES: Readonly<Record<string, () => Promise<StoreUnderTest>>> = {
  SQLite: async () => {
    const home = await mkdtemp(join(tmpdir(), 'vkit-store-'));
    return {
      open: () =>
        openStore({ dataDir: join(home, 'data'), signer: SIGNER, now: Date.now, checkUse: true }),
      discard: () => rm(home, { recursive: true, force: true }),
      auditKeys: KEYS,
    };
  },
};

for (const [name, prepare] of Object.entries(STORES)) storeConformance(name, prepare);
