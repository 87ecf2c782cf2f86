import { VkitError } from '../../errors/index.js';
import type { OutboundFetch } from '../../util/outbound-fetch.js';

/** Which secret is wanted. */
export interface SecretRequest {
  /** The datasource's id. */
  id: string;
  /** Where the backend has it; of `file` the id. */
  path: string;
}

/** The fields of a secret, in memory alone. A secret that is one text has it under `password`. */
export type SecretFields = Readonly<Record<string, string>>;

/** Somewhere secrets are kept. */
export interface SecretBackend {
  /**
   * Fetches a secret now; nothing of it is kept. Throws `secret_unavailable`, which says what is wrong and what to do, and never
   * holds a part of a secret.
   */
  read(request: SecretRequest): Promise<SecretFields>;
}

export interface BackendDeps {
  /** Reads a secret of the server's own configuration. */
  secret(source: { env: string } | { file: string }, key: string): Promise<string>;
  /** For a backend that is called by HTTP; `ca` are the PEM certificates that it trusts instead of the system's. */
  outbound(ca: string | undefined): OutboundFetch;
  /** Nothing below these is read: the server's own state. */
  forbiddenDirectories: readonly string[];
  /** Waits between attempts. */
  wait(milliseconds: number): Promise<void>;
}

/** How a backend is made of its part of the server's file. Throws `config_invalid`. */
export interface BackendType<Config> {
  open(config: Config, key: string, deps: BackendDeps): SecretBackend;
}

/** Of a backend, when a secret cannot be had. `reason` is a clause after its name. */
export function unavailable(backend: string, reason: string, hint: string, cause?: unknown) {
  return new VkitError('secret_unavailable', `${backend} ${reason}.`, {
    hint,
    ...(cause === undefined ? {} : { cause }),
  });
}

const FIELDS_MAX = 256;

/** The texts among the fields of a JSON object; null for what is none. Numbers and booleans are no passwords. */
export function textFields(value: unknown): SecretFields | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const entries = Object.entries(value).slice(0, FIELDS_MAX);
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** The fields of a text: those of a JSON object, else the text itself as the password. */
export function fieldsOfText(text: string): SecretFields {
  try {
    const fields = textFields(JSON.parse(text));
    if (fields) return fields;
  } catch {
    // A password that is no JSON. The parser's error would repeat it.
  }
  return { password: text };
}
