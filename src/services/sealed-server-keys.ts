import { VkitError } from '../errors/index.js';
import type { StoreRepositories } from '../store/model.js';
import type { SecretAddress } from '../vault/sealed-secret.js';
import type { Vault } from '../vault/vault.js';
import { FIRST_KEYS, keysOf, newKey, type ServerKeys } from './server-keys.js';

/** The kind of the sealed secrets that are the server's own keys; their ids are the names of the files they would be. */
export const SERVER_KEY = 'server_key';

export interface SealedKeysContext {
  org: string;
  vault: Vault;
  secrets: StoreRepositories['secrets'];
  /** Runs work that no other process does at the same time. */
  alone: (work: (secrets: StoreRepositories['secrets']) => Promise<void>) => Promise<void>;
}

/**
 * The keys that all processes of a team share: in the database, sealed under the master secret, and made by whichever starts
 * first. Throws `vault_failed` where this process has another master secret than the one they are sealed under.
 */
export async function sealedServerKeys(ctx: SealedKeysContext): Promise<ServerKeys> {
  const present = await ctx.secrets.ids(SERVER_KEY);
  if (present.length === 0) await makeKeys(ctx);
  const texts = new Map<string, string>();
  for (const id of await ctx.secrets.ids(SERVER_KEY)) {
    const sealed = await ctx.secrets.get(SERVER_KEY, id);
    if (sealed) texts.set(id, await ctx.vault.open(serverKeyAddress(ctx.org, id), sealed));
  }
  return keysOf(texts, (name) => {
    throw new VkitError('key_invalid', `The server's key ${name} is missing in the database.`, {
      hint: 'Restore the database from its backup; what it signed cannot be verified without it.',
    });
  });
}

async function makeKeys({ org, vault, alone }: SealedKeysContext): Promise<void> {
  // Sealed before anybody has to wait for it: deriving a key takes a quarter of a second.
  const rows = await Promise.all(
    FIRST_KEYS.map(async (id) => ({
      kind: SERVER_KEY,
      id,
      ...(await vault.seal(serverKeyAddress(org, id), newKey(id))),
    })),
  );
  await alone(async (secrets) => {
    // Another process that started at this moment has made them: both use those.
    if ((await secrets.ids(SERVER_KEY)).length > 0) return;
    for (const row of rows) await secrets.put(row);
  });
}

/** What a sealed key is bound to. */
export function serverKeyAddress(org: string, id: string): SecretAddress {
  return { org, kind: SERVER_KEY, id, endpoint: '' };
}
