import { VkitError } from '../errors/index.js';
import type { SecretRow, StoreRepositories } from '../store/model.js';
import type { SecretAddress } from '../vault/sealed-secret.js';
import type { Vault } from '../vault/vault.js';
import { FIRST_KEYS, keysOf, newKey, type ServerKeys } from './server-keys.js';

/** The one sealed secret that holds the server's own keys: a JSON object of their texts by the names of the files they would be. */
export const SERVER_KEYS = { kind: 'server_key', id: 'keys' } as const;

export interface SealedKeysContext {
  org: string;
  vault: Vault;
  secrets: StoreRepositories['secrets'];
  /** Runs work that no other process does at the same time. */
  alone: (work: (secrets: StoreRepositories['secrets']) => Promise<void>) => Promise<void>;
}

/**
 * The keys that all processes of a team share: in the database, sealed under the master secret, and made by whichever starts
 * first. Throws `key_invalid` where this process has another master secret than the one they are sealed under, or none.
 */
export async function sealedServerKeys(ctx: SealedKeysContext): Promise<ServerKeys> {
  const { kind, id } = SERVER_KEYS;
  const sealed = (await ctx.secrets.get(kind, id)) ?? (await makeKeys(ctx));
  const text = await ctx.vault.open(serverKeysAddress(ctx.org), sealed).catch((cause: unknown) => {
    throw cause instanceof VkitError ? closed(ctx.org, cause) : cause;
  });
  const texts = JSON.parse(text);
  return keysOf(new Map(Object.entries<string>(texts)), (name) => {
    throw new VkitError('key_invalid', `The server's key ${name} is missing in the database.`, {
      hint: 'Restore the database from its backup; what it signed cannot be verified without it.',
    });
  });
}

/** The master secret is another one, or is not there; or the organisation is another, which looks the same from here. */
function closed(org: string, cause: VkitError): VkitError {
  return new VkitError(
    'key_invalid',
    `The keys of the servers that share this database do not open for organisation ${org} with the master secret of this one.`,
    {
      hint: 'Give it the VKIT_MASTER_KEY (or master_key_file) and the --org that the first server was started with.',
      cause,
    },
  );
}

async function makeKeys({ org, vault, alone }: SealedKeysContext): Promise<SecretRow> {
  const texts = Object.fromEntries(FIRST_KEYS.map((name) => [name, newKey(name)]));
  // Sealed before anybody has to wait for it: deriving a key takes a quarter of a second.
  const made = await vault.seal(serverKeysAddress(org), JSON.stringify(texts));
  let row: SecretRow = { ...SERVER_KEYS, ...made };
  await alone(async (secrets) => {
    // Another process that started at this moment has made them: both use those.
    const others = await secrets.get(row.kind, row.id);
    if (others) row = others;
    else await secrets.put(row);
  });
  return row;
}

/** What the sealed keys are bound to. */
export function serverKeysAddress(org: string): SecretAddress {
  return { org, ...SERVER_KEYS, endpoint: '' };
}
