import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { ServerTls } from '../config/server-config.js';
import { VkitError } from '../errors/index.js';

/** What a server listens with over TLS (`node:https`). */
export interface TlsOptions extends SecureContextOptions {
  requestCert: boolean;
  rejectUnauthorized: boolean;
}

/**
 * Reads certificate and key, and the authority that clients' certificates must be of, where one is named. Throws
 * `config_invalid` naming what cannot be used; nothing of a key is ever in it.
 */
export async function readTls({ cert_file, key_file, client_ca }: ServerTls): Promise<TlsOptions> {
  const [cert, key, ca] = await Promise.all([
    readPart('cert_file', cert_file),
    readPart('key_file', key_file),
    client_ca === undefined ? undefined : readPart('client_ca', client_ca),
  ]);
  const options: TlsOptions = {
    cert,
    key,
    ...(ca === undefined ? {} : { ca }),
    minVersion: 'TLSv1.2',
    requestCert: ca !== undefined,
    rejectUnauthorized: ca !== undefined,
  };
  try {
    createSecureContext(options);
  } catch (cause) {
    // The cause is left out of the sentence: what OpenSSL says names no file.
    throw new VkitError('config_invalid', `tls: ${cert_file} and ${key_file} are no pair.`, {
      hint: 'Both are PEM files, the key without a passphrase and of this certificate.',
      cause,
    });
  }
  return options;
}

async function readPart(key: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new VkitError('config_invalid', `tls.${key}: ${path} cannot be read.`, { cause });
  }
}
