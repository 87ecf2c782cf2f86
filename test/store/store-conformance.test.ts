import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { openStore } from '../../src/store/open-store.js';
import { openPostgresStore } from '../../src/store/postgres/open-postgres-store.js';
import { KEYS, SIGNER } from '../audit/chain-fixture.js';
import { type StoreUnderTest, storeConformance } from '../conformance/store.js';
import { emptyState, findPostgres } from '../helpers/postgres.js';

const postgres = await findPostgres();

/** Every store there is; a new one is one entry, or why it is not tested here. */
const STORES: Readonly<Record<string, (() => Promise<StoreUnderTest>) | string>> = {
  SQLite: async () => {
    const home = await mkdtemp(join(tmpdir(), 'vkit-store-'));
    return {
      open: () =>
        openStore({ dataDir: join(home, 'data'), signer: SIGNER, now: Date.now, checkUse: true }),
      discard: () => rm(home, { recursive: true, force: true }),
      auditKeys: KEYS,
    };
  },
  PostgreSQL:
    postgres.url === null
      ? postgres.reason
      : async () => {
          const { url, discard } = await emptyState(postgres.url);
          const signer = async () => SIGNER;
          return {
            open: () => openPostgresStore({ url, signer, now: Date.now, checkUse: true }),
            discard,
            auditKeys: KEYS,
          };
        },
};

for (const [name, prepare] of Object.entries(STORES)) {
  if (typeof prepare !== 'string') storeConformance(name, prepare);
  else describe.skip(`the store on ${name}: ${prepare}`, () => it('is not there', () => {}));
}
