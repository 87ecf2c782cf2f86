import { execFile } from 'node:child_process';
import { lstat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { calculateJwkThumbprint, exportJWK, exportPKCS8, exportSPKI, generateKeyPair } from 'jose';
import { VkitError } from '../errors/index.js';
import { atomicWrite } from '../util/atomic-write.js';
import { makeFolder } from '../util/make-folder.js';

/** The signature algorithms of RFC 7518 and RFC 8037 that vkit signs with. */
export const KEY_ALGORITHMS = ['EdDSA', 'RS256', 'ES256'] as const;
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number];

export type GeneratedKeys = {
  /** The RFC 7638 thumbprint (SHA-256, base64url) of the public key, by which it is known. */
  id: string;
  algorithm: KeyAlgorithm;
  /** PKCS #8 PEM with mode 0600. */
  privateKeyFile: string;
  /** SPKI PEM. */
  publicKeyFile: string;
};

const RSA_BITS = 3072;
const GIT_TIMEOUT_MS = 10_000;

/**
 * Writes a new key pair, `vkit_priv.pem` and `vkit_pub.pem`, into a folder that is made if need be.
 * Never overwrites (`file_exists`), and refuses to put a private key where Git would take it
 * (`key_exposed`), with what to write into .gitignore. Paths in the result are as `folder` was given.
 */
export async function generateKeys(input: {
  folder: string;
  algorithm: KeyAlgorithm;
}): Promise<GeneratedKeys> {
  const privateKeyFile = join(input.folder, 'vkit_priv.pem');
  const publicKeyFile = join(input.folder, 'vkit_pub.pem');
  for (const file of [privateKeyFile, publicKeyFile]) await refuseExisting(file);
  await makeKeyFolder(input.folder);
  await refuseExposed(input.folder, privateKeyFile);
  const pair = await generateKeyPair(jwaName(input.algorithm), {
    extractable: true,
    ...(input.algorithm === 'RS256' ? { modulusLength: RSA_BITS } : {}),
  });
  const id = await calculateJwkThumbprint(await exportJWK(pair.publicKey), 'sha256');
  await writeNew(privateKeyFile, await exportPKCS8(pair.privateKey), 0o600);
  await writeNew(publicKeyFile, await exportSPKI(pair.publicKey), 0o644);
  return { id, algorithm: input.algorithm, privateKeyFile, publicKeyFile };
}

/** `EdDSA` covers two curves; Ed25519 is the one that vkit uses. */
function jwaName(algorithm: KeyAlgorithm): string {
  return algorithm === 'EdDSA' ? 'Ed25519' : algorithm;
}

async function makeKeyFolder(folder: string): Promise<void> {
  try {
    await makeFolder(folder, { mode: 0o700 });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'EEXIST' || code === 'ENOTDIR') {
      throw new VkitError('invalid_input', `${folder} is not a folder.`, { cause });
    }
    throw new VkitError('permission_denied', `The folder ${folder} cannot be made.`, { cause });
  }
}

async function refuseExisting(file: string): Promise<void> {
  const there = await lstat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw new VkitError('permission_denied', `${file} cannot be read.`, { cause: error });
  });
  if (there) throw fileExists(file);
}

async function writeNew(file: string, content: string, mode: number): Promise<void> {
  try {
    await atomicWrite(file, content, { mode, exclusive: true });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw fileExists(file, cause);
    throw new VkitError('permission_denied', `${file} cannot be written.`, { cause });
  }
}

function fileExists(file: string, cause?: unknown): VkitError {
  return new VkitError('file_exists', `${file} exists, and keys are never overwritten.`, {
    hint: 'Choose another folder: vkit keys generate --out-dir FOLDER',
    details: { file },
    cause,
  });
}

/** In a Git work tree the private key's path must be ignored, or the next `git add` publishes it. */
async function refuseExposed(folder: string, privateKeyFile: string): Promise<void> {
  const file = resolve(privateKeyFile);
  if ((await git(folder, ['rev-parse', '--is-inside-work-tree'])) !== 0) return;
  const ignored = await git(folder, ['check-ignore', '--quiet', '--no-index', file]);
  if (ignored === 0) return;
  throw new VkitError('key_exposed', `Git does not ignore ${privateKeyFile}, a private key.`, {
    hint: "Have Git ignore it first: echo 'vkit_priv.pem' >> .gitignore",
    details: { file: privateKeyFile },
  });
}

/** Git's exit code; without Git there is no work tree that a key could be committed to. */
async function git(folder: string, args: readonly string[]): Promise<number> {
  try {
    await promisify(execFile)('git', ['-C', folder, ...args], { timeout: GIT_TIMEOUT_MS });
    return 0;
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (typeof code === 'number') return code;
    if (code === 'ENOENT') return 128;
    throw new VkitError('git_failed', 'Git did not answer.', { cause: error });
  }
}
