import { readFile } from 'node:fs/promises';
import { VkitError } from '../../errors/index.js';
import type { ConnectionTarget } from '../contract.js';

/** The key of a service account, as Google's console hands it out. */
export interface ServiceAccountKey {
  client_email: string;
  private_key: string;
}

/** What of a datasource's configuration a connection takes. */
export interface BigquerySettings {
  project: string;
  dataset: string;
  location: string | undefined;
  maximumBytesBilled: string | undefined;
  /** With its scheme; `undefined` is Google's own. */
  endpoint: string | undefined;
  /** `emulator` sends none, to loopback alone; `default` looks for the application default credentials. */
  credentials: ServiceAccountKey | 'default' | 'emulator';
}

/** Reads a checked configuration and the file of the key. Throws `config_invalid`, never with what the file holds. */
export async function readBigquerySettings(target: ConnectionTarget): Promise<BigquerySettings> {
  const { config } = target;
  const endpoint = optionalText(config.api_endpoint);
  const isEmulator = endpoint?.startsWith('http://') === true;
  const file = optionalText(config.credentials_file);
  const bytes = config.maximum_bytes_billed;
  return {
    project: String(config.project),
    dataset: String(config.dataset),
    location: optionalText(config.location),
    maximumBytesBilled: bytes === undefined ? undefined : String(bytes),
    endpoint,
    credentials: isEmulator
      ? 'emulator'
      : file === undefined
        ? 'default'
        : await readKey(file, target.id),
  };
}

function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

async function readKey(file: string, id: string): Promise<ServiceAccountKey> {
  const refuse = (why: string, cause?: unknown) =>
    new VkitError('config_invalid', `The key of the datasource "${id}" ${why}: ${file}.`, {
      hint: 'Name the JSON key of a service account as credentials_file, readable by vkit.',
      ...(cause === undefined ? {} : { cause }),
    });
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw refuse('cannot be read', cause);
  });
  const key = parsed(text);
  // Other kinds of credentials name programs to run and addresses to ask.
  if (key?.type !== 'service_account') throw refuse('is not the key of a service account');
  const { client_email, private_key } = key;
  if (typeof client_email !== 'string' || typeof private_key !== 'string') {
    throw refuse('lacks client_email or private_key');
  }
  return { client_email, private_key };
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    // The parser's message quotes the text, which holds the key.
    return undefined;
  }
}
