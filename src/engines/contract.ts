import type { Dialect } from '../aql/dialect.js';
import type { CompiledQuery } from '../aql/plan.js';
import type { ScannedSchema } from '../schema/model.js';
import type { AddressRules } from '../util/outbound.js';
import type { ReaderLogin, ReaderLoginRequest } from './reader-login.js';
import type { PoolUse } from './slots.js';

/** A secret as it is used to open a connection; it lives in memory only. */
export interface Credentials {
  username?: string;
  password?: string;
}

/** What an engine needs to reach one database. `config` was checked against the engine's schema. */
export interface ConnectionTarget {
  /** The datasource's id, for messages. */
  id: string;
  config: Readonly<Record<string, unknown>>;
  credentials: Credentials;
}

export interface ConnectionOptions {
  /** Connections held at most; of servers 10, of SQLite 4 by default. */
  poolMax?: number;
  connectTimeoutMs?: number;
  /** Hosts that get a password in clear without TLS that is verified, if they ask for it so; default none. */
  clearPasswordHosts?: readonly string[];
  /** Which addresses may be dialled, checked after resolution; absent: any. Engines with `hostDialled` do not look at it. */
  addressRules?: AddressRules;
}

export interface ScanOptions {
  /** Globs of `schema.table`; default everything that is not a system schema. */
  include?: readonly string[];
  exclude?: readonly string[];
  timeoutMs?: number;
  /** Whether texts come too of which a scan otherwise has digests alone, since they can hold secrets: defaults, views. */
  withDefinitions?: boolean;
}

export interface RunOptions {
  /** Statement timeout, enforced in the database; the driver enforces it too. */
  timeoutMs: number;
  /** Rows per batch, default 1,000. */
  batchRows?: number;
  /** Aborting cancels the query in the database. */
  signal?: AbortSignal;
}

/** A row as JSON texts, one per output column: `"a"`, `12`, `null`; lossless as aql.md says. */
export type EncodedRow = readonly string[];

/**
 * An open, pooled connection to one database. Every method throws VkitError: `datasource_unreachable` when it cannot be
 * reached or refuses the login, `unsupported` for a database vkit does not read, `schema_changed`, `query_timeout`,
 * `interrupted` after the signal aborted, or `datasource_error` for whatever the database answers. The engine's own error text is only ever in `cause`: it may quote a raw value.
 */
export interface Connector {
  /** Product, version and the round trip of one statement in milliseconds. */
  test(): Promise<{ server: string; latencyMs: number }>;
  /** Reads the catalog, never user data. */
  introspect(options?: ScanOptions): Promise<ScannedSchema>;
  /**
   * Runs a query in a read-only transaction: locks the tables, compares them with `query.tables`, then streams batches.
   * Nothing of the query has run when `schema_changed` is thrown. Ending the iteration early cancels the query.
   */
  run(query: CompiledQuery, options: RunOptions): AsyncIterable<readonly EncodedRow[]>;
  /** How full its pool is; absent where it has none. */
  use?(): PoolUse;
  close(): Promise<void>;
}

/** One database product: everything the rest of vkit knows of it. */
export interface Engine {
  readonly name: string;
  readonly displayName: string;
  /** Whether a login is needed at all; SQLite files have none. */
  readonly needsCredentials: boolean;
  /** Whether it logs in as the machine that it runs on, or with a key that lies there: then only a reviewed address gets that. */
  readonly usesOwnLogin?: true;
  /** Keys of `config` that name a file of the machine: a server reads such files only below directories it was given. */
  readonly localFileKeys?: readonly string[];
  /**
   * The host that a password could reach without TLS that is verified, as this `config` has it; null where it cannot. Absent:
   * no configuration of the engine lets it.
   */
  unverifiedHost?(config: Readonly<Record<string, unknown>>): string | null;
  /**
   * The host that a `config` has an engine's own client dial, where vkit cannot check what it resolves to. Absent: the driver
   * keeps to `addressRules`, or dials nothing.
   */
  hostDialled?(config: Readonly<Record<string, unknown>>): string;
  /** JSON Schema (draft 2020-12) of a datasource's `config`. */
  readonly configSchema: Readonly<Record<string, unknown>>;
  readonly dialect: Dialect;
  /** Why no sample of rows is taken of it, as a sentence; absent where one may be. */
  readonly refusesSamples?: string;
  /**
   * Reads a connection URL into config and credentials. Throws `invalid_input` with a message that never repeats the URL.
   */
  parseUrl(url: string): { config: Record<string, unknown>; credentials: Credentials };
  /** How the read-only login that vkit needs is created. Throws `invalid_input` for a name that cannot be one. */
  readerLogin(request: ReaderLoginRequest): ReaderLogin;
  /** Loads the driver on first use; throws `dependency_missing` with how to install it when it is not there. */
  connect(target: ConnectionTarget, options?: ConnectionOptions): Promise<Connector>;
}

/** A place of its own in a database, for sample data: nothing that was there before is read or changed. */
export interface Sandbox {
  /** Runs statements of vkit's own; no text from outside is ever part of them. */
  run(script: string): Promise<void>;
  /** Removes what was made, also after a lost connection, and closes. Twice is a no-op. */
  drop(): Promise<void>;
}
