import { createPublicKey, type KeyObject } from 'node:crypto';

/** The public keys of a server, by their ids. */
export async function auditKeys(url: string): Promise<Map<string, KeyObject>> {
  const response = await fetch(`${url}/.well-known/jwks.json`);
  const { keys } = (await response.json()) as { keys: { kid: string }[] };
  return new Map(
    keys.map((key) => [key.kid, createPublicKey({ key: key as never, format: 'jwk' })]),
  );
}
