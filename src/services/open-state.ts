import { join } from 'node:path';
import { KEYS_FOLDER, prepareDataDirectory } from '../store/data-directory.js';
import type { Store } from '../store/model.js';
import { openStore } from '../store/open-store.js';
import { makeFolder } from '../util/make-folder.js';
import { createMasterSource, type MasterSourceOptions } from '../vault/master-secret.js';
import { createVault, type Vault } from '../vault/vault.js';
import { sealedServerKeys } from './sealed-server-keys.js';
import { auditSigner, loadServerKeys, type ServerKeys } from './server-keys.js';

export interface StateOptions {
  org: string;
  dataDir: string;
  /** The state is in this PostgreSQL, and not in the directory. */
  databaseUrl?: string;
  /** The master secret of the vault; wins over the file. */
  masterKey?: string;
  masterKeyFile?: string;
  /** Master secrets before it, which still open what they sealed. */
  previous?: MasterSourceOptions['previous'];
  /** Milliseconds since the epoch. */
  now: () => number;
  /** See `openStore`. */
  checkUse?: boolean;
}

/** What a server keeps between two starts, opened. */
export interface State {
  store: Store;
  keys: ServerKeys;
  vault: Vault;
}

/**
 * Opens the embedded state of one process, with its keys in files beside it, or the state of a team in PostgreSQL, with the
 * keys sealed in it. Throws as `openStore`, `openPostgresStore`, `loadServerKeys` and `sealedServerKeys` do.
 */
export async function openState(options: StateOptions): Promise<State> {
  const { org, dataDir, databaseUrl, masterKey, masterKeyFile, now } = options;
  let sealed: Pick<Store['secrets'], 'isEmpty'>;
  const masters = createMasterSource({
    org,
    ...(masterKey === undefined ? {} : { text: masterKey }),
    ...(masterKeyFile === undefined ? {} : { file: masterKeyFile }),
    ...(options.previous === undefined ? {} : { previous: options.previous }),
    ownFile: join(dataDir, KEYS_FOLDER, 'master.key'),
    isAnythingSealed: async () => !(await sealed.isEmpty()),
  });
  const vault = createVault(masters);
  const checkUse = options.checkUse ?? false;
  if (databaseUrl === undefined) {
    const keys = await loadServerKeys(dataDir);
    const store = await openStore({ dataDir, signer: auditSigner(keys), now, checkUse });
    sealed = store.secrets;
    // One that cannot be used is found now, not with the first password.
    await masters.check().catch((error) => closing(store, error));
    return { store, keys, vault };
  }
  await masters.check();
  if (masterKey === undefined && masterKeyFile === undefined) {
    // One is made there.
    await prepareDataDirectory(dataDir);
    await makeFolder(join(dataDir, KEYS_FOLDER), { mode: 0o700 });
  }
  // The package of the database loads only for those who use it.
  const { openPostgresStore } = await import('../store/postgres/open-postgres-store.js');
  let keys: ServerKeys | undefined;
  const store = await openPostgresStore({
    url: databaseUrl,
    now,
    checkUse,
    async signer(access) {
      sealed = access.secrets;
      keys = await sealedServerKeys({ org, vault, ...access });
      return auditSigner(keys);
    },
  });
  sealed = store.secrets;
  return { store, keys: keys as ServerKeys, vault };
}

async function closing(store: Store, error: unknown): Promise<never> {
  await store.close();
  throw error;
}
