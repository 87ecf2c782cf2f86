import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { AuditKeys } from '../audit/inspect-record.js';
import { keyId } from '../bundle/sign-bundle.js';
import { VkitError } from '../errors/index.js';

const KEYS_MAX = 64;

/** The public audit keys of files, each a PEM, a JWK or a JWK Set (RFC 7517). Throws `key_invalid`, `key_exposed`. */
export async function readAuditKeys(files: readonly string[]): Promise<AuditKeys> {
  const keys: KeyObject[] = [];
  for (const file of files) keys.push(...(await readKeyFile(file)));
  return byThumbprint(keys);
}

/** The keys of a JWK Set that a server gave. */
export async function auditKeysOfJwks(jwks: { keys: readonly object[] }): Promise<AuditKeys> {
  return byThumbprint(jwks.keys.slice(0, KEYS_MAX).map(publicKeyOf));
}

/** By the thumbprint of the key itself, not by the `kid` that is written beside it. */
async function byThumbprint(keys: readonly KeyObject[]): Promise<AuditKeys> {
  const entries = await Promise.all(keys.map(async (key) => [await keyId(key), key] as const));
  return new Map(entries);
}

async function readKeyFile(file: string): Promise<KeyObject[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new VkitError('key_invalid', `The key file ${file} cannot be read.`, { cause });
  }
  if (text.includes('PRIVATE KEY')) throw privateKey(file);
  try {
    if (!text.trimStart().startsWith('{')) return [createPublicKey(text)];
    const jwks = JSON.parse(text) as { keys?: readonly object[] };
    return (jwks.keys ?? [jwks]).slice(0, KEYS_MAX).map(publicKeyOf);
  } catch (cause) {
    if (cause instanceof VkitError) throw cause;
    throw new VkitError('key_invalid', `The file ${file} holds no public key.`, {
      hint: "It is a PEM file, or the server's /.well-known/jwks.json.",
      cause,
    });
  }
}

function publicKeyOf(jwk: object): KeyObject {
  if ('d' in jwk) throw privateKey('in the JWK Set');
  return createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
}

function privateKey(where: string): VkitError {
  return new VkitError('key_exposed', `The key ${where} is a private key.`, {
    hint: 'Verifying takes the public one; keep the private one where only the server reads it.',
  });
}
