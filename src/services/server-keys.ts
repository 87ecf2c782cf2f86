import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { calculateJwkThumbprint } from 'jose';
import type { AuditSigner } from '../audit/seal-record.js';
import { VkitError } from '../errors/index.js';
import type { TokenKey } from '../masking/token-codec.js';
import { databasePath, KEYS_FOLDER, prepareDataDirectory } from '../store/data-directory.js';
import { atomicWrite } from '../util/atomic-write.js';
import { makeFolder } from '../util/make-folder.js';
import { type FormerKey, formerKeys, isKeyOf, type KeyUse } from './former-keys.js';

export interface ServerKeyPair {
  /** RFC 7638 thumbprint of the public key. */
  kid: string;
  /** Ed25519. */
  privateKey: KeyObject;
  publicKey: KeyObject;
}

/** The server's own keys, apart from those that sign bundles. */
export interface ServerKeys {
  grant: ServerKeyPair;
  audit: ServerKeyPair;
  /** What signed before these: published, and trusted for what they signed. */
  former: Readonly<Record<KeyUse, readonly FormerKey[]>>;
  /** 256 bits for the HMACs in audit records; kept apart from the log. */
  auditHmacKey: KeyObject;
  /** What tokens are made and opened with, by version; the highest makes new ones. */
  tokenKeys: readonly TokenKey[];
}

const FILES = {
  grant: 'grant_priv.pem',
  audit: 'audit_priv.pem',
  auditHmac: 'audit_hmac.key',
  token: 'token_1.key',
} as const;

/** `token_2.key` and so on are laid beside the first by whoever rotates the key (docs/how-to/run-the-server.md). */
const TOKEN_FILE = /^token_([1-9]\d{0,8})\.key$/;

const SECRET_BYTES = 32;

/**
 * The keys under `<dataDir>/keys/`, made at the first start with mode 0600 and never overwritten. Throws `key_invalid`
 * for a file that is missing beside a database (a new key would silently disown what the old one signed), for one that
 * is not such a key, and `key_exposed` for one that other accounts can read.
 */
export async function loadServerKeys(dataDir: string): Promise<ServerKeys> {
  await prepareDataDirectory(dataDir);
  const folder = join(dataDir, KEYS_FOLDER);
  // Looked at before the keys: whoever made the database had made its keys first.
  const hasDatabase = existsSync(databasePath(dataDir));
  await makeFolder(folder, { mode: 0o700 });
  for (const name of Object.values(FILES)) {
    // The first token key may have been retired, once a later one was there.
    if (name === FILES.token && (await tokenFiles(folder)).length > 0) continue;
    const path = join(folder, name);
    if (!existsSync(path)) {
      if (hasDatabase) throw missingKey(path);
      await createKey(path, name);
    }
    await refuseReadableByOthers(path);
  }
  const texts = new Map<string, string>();
  for (const name of (await readdir(folder)).filter(isServerKey)) {
    const path = join(folder, name);
    const text = await readFile(path, 'utf8');
    // A former key may be there as its public half alone.
    if (name.endsWith('.key') || text.includes('PRIVATE KEY')) await refuseReadableByOthers(path);
    texts.set(name, text);
  }
  return keysOf(texts, (name) => {
    throw missingKey(join(folder, name));
  });
}

function isServerKey(name: string): boolean {
  return (
    name === FILES.auditHmac ||
    TOKEN_FILE.test(name) ||
    isKeyOf('grant', name) ||
    isKeyOf('audit', name)
  );
}

/** The names of the keys that the first start makes. */
export const FIRST_KEYS: readonly string[] = Object.values(FILES);

/** The keys by the texts of their files, by name; `missing` throws. */
export async function keysOf(
  texts: ReadonlyMap<string, string>,
  missing: (name: string) => never,
): Promise<ServerKeys> {
  const textOf = (name: string): string => texts.get(name) ?? missing(name);
  const tokens = [...texts].filter(([name]) => TOKEN_FILE.test(name));
  if (tokens.length === 0) missing(FILES.token);
  return {
    grant: await pairOf(FILES.grant, textOf(FILES.grant)),
    audit: await pairOf(FILES.audit, textOf(FILES.audit)),
    former: {
      grant: await formerKeys(texts, 'grant', FILES.grant),
      audit: await formerKeys(texts, 'audit', FILES.audit),
    },
    auditHmacKey: secretOf(FILES.auditHmac, textOf(FILES.auditHmac)),
    tokenKeys: tokens.map(([name, text]) => ({
      version: Number(TOKEN_FILE.exec(name)?.[1]),
      key: secretOf(name, text),
    })),
  };
}

async function tokenFiles(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => TOKEN_FILE.test(name));
}

/** What the store signs audit records with. */
export function auditSigner({ audit }: Pick<ServerKeys, 'audit'>): AuditSigner {
  return { kid: audit.kid, sign: (data) => sign(null, data, audit.privateKey) };
}

async function createKey(path: string, name: string): Promise<void> {
  try {
    await atomicWrite(path, newKey(name), { mode: 0o600, exclusive: true });
  } catch (error) {
    // Another process starting at this moment made it: both use that one.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** The text of a new key of this name. */
export function newKey(name: string): string {
  if (name.endsWith('.key')) return `${randomBytes(SECRET_BYTES).toString('base64')}\n`;
  const { privateKey } = generateKeyPairSync('ed25519');
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}

async function refuseReadableByOthers(path: string): Promise<void> {
  const { mode } = await stat(path);
  if (process.platform === 'win32' || (mode & 0o077) === 0) return;
  throw new VkitError('key_exposed', `Other accounts can read the server's key ${path}.`, {
    hint: `chmod 600 ${JSON.stringify(path)}, and replace the key if somebody may have read it.`,
  });
}

async function pairOf(name: string, pem: string): Promise<ServerKeyPair> {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(pem);
  } catch {
    // The decoder's message is about the bytes of a secret.
    throw invalidKey(name);
  }
  if (privateKey.asymmetricKeyType !== 'ed25519') throw invalidKey(name);
  const publicKey = createPublicKey(privateKey);
  const kid = await calculateJwkThumbprint(publicKey, 'sha256');
  return { kid, privateKey, publicKey };
}

function secretOf(name: string, text: string): KeyObject {
  const bytes = Buffer.from(text.trim(), 'base64');
  if (bytes.length !== SECRET_BYTES) throw invalidKey(name);
  return createSecretKey(bytes);
}

function missingKey(path: string): VkitError {
  return new VkitError('key_invalid', `The server's key ${path} is missing.`, {
    hint: path.endsWith(FILES.token)
      ? 'Restore it from the backup of the data directory: tokens that were made with it open with nothing else. If it never was there, docs/how-to/run-the-server.md says how to make it.'
      : 'Restore it from the backup of the data directory; what it signed cannot be verified without it.',
  });
}

function invalidKey(name: string): VkitError {
  return new VkitError(
    'key_invalid',
    `The server's key ${name} does not hold what belongs there.`,
    { hint: "Restore it from the backup of the server's state." },
  );
}
