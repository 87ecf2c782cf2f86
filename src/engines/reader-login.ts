import { VkitError } from '../errors/index.js';
import type { TableIdentity, TableKind } from '../schema/model.js';

export interface ReaderLoginRequest {
  /** The name of the login; each engine has a default. */
  login?: string;
  /** The datasource's `config`, checked against the engine's schema. */
  config: Readonly<Record<string, unknown>>;
  /** What is to be read; everything in the default schema where nothing was scanned yet. */
  tables: readonly { table: TableIdentity; kind: TableKind }[] | 'default_schema';
}

/** How the read-only login that vkit needs is created in a database. */
export interface ReaderLogin {
  login: string;
  /** For an administrator to run, in their order. Secrets are placeholders in angle brackets. */
  statements: readonly string[];
  /** What statements cannot say, as sentences. */
  notes: readonly string[];
}

export const READER_LOGIN = 'vkit_reader';
export const SET_PASSWORD = 'Put a password of your own in the place of <password>.';

const LOGIN = /^[\p{L}_][\p{L}\p{N}_$-]*$/u;

/** The name, if it is one that every engine takes without quotes of its own. Throws `invalid_input`. */
export function checkedLogin(login: string, lengthMax: number): string {
  if (LOGIN.test(login) && Buffer.byteLength(login) <= lengthMax) return login;
  throw new VkitError('invalid_input', 'The name of the login cannot be used.', {
    hint: `Take letters, digits and underscores, ${lengthMax} at most: --login ${READER_LOGIN}`,
  });
}

/** The schemas of the tables, each once, sorted. */
export function schemasOf(tables: readonly { table: TableIdentity }[]): string[] {
  return [...new Set(tables.map(({ table }) => table.schema))].sort();
}
