import type { AddressRules } from '../../util/outbound.js';
import type { ProxySettings } from '../../util/proxied-fetch.js';

/** One thing that is sent, in the order of the log. */
export interface SinkEntry {
  kind: 'record' | 'checkpoint';
  /** Of the record, or of the last one that the checkpoint covers. */
  seq: number;
  /** Of that record. */
  hash: string;
  timestamp: string;
  /** JSON text without a line feed: the record in its canonical form, or `{"checkpoint":{…}}` with its `jws`. */
  line: string;
}

/** Never empty. */
export type SinkBatch = readonly SinkEntry[];

/** Where the server's log and a sink stand when a batch is sent. */
export interface SinkPosition {
  /** Of the last record that the sink is remembered to have; 0 where it has none. */
  seq: number;
  /** Of that record; null where the log does not hold it any more. */
  hash: string | null;
  /** Of the last record of the log. */
  logSeq: number;
}

/** One place that audit records are sent to. */
export interface AuditSink {
  /**
   * Resolves once everything of the batch is where it will stay. Called again with the same batch after a failure, and perhaps
   * with another one that begins where it began after the process was killed: what is there already must do no harm.
   * Called once at a time. Throws a `VkitError` without secrets.
   */
  deliver(batch: SinkBatch, signal: AbortSignal, position: SinkPosition): Promise<void>;
  close(): Promise<void>;
}

/** What every sink of the configuration has. */
export interface SinkSettings {
  type: string;
  /** Unique among the sinks of a server; how far it has come is kept under it. */
  name: string;
}

export interface SinkDependencies {
  org: string;
  /** Where the server's state is; no sink writes there. */
  dataDir: string;
  /** The server's own PostgreSQL database; absent where its state is in SQLite. */
  databaseUrl?: string;
  /** Which addresses may be dialled. */
  rules: AddressRules;
  proxy?: ProxySettings;
  /** A variable of the environment that the configuration names; undefined where it is unset or empty. */
  variable: (name: string) => string | undefined;
  /** Reads a secret that is made and kept by the server, for a sink that names none. */
  ownSecret: (name: string) => Promise<string>;
  /** Milliseconds since the epoch. */
  now: () => number;
}

/** One type of sinks. */
export interface SinkType<S extends SinkSettings> {
  /** Checks the settings and opens nothing that can be away: throws `config_invalid`. */
  open(settings: S, dependencies: SinkDependencies): Promise<AuditSink>;
  /** Entries of one batch at most. */
  batchMax: number;
  /** How old a record becomes before it is sent although its batch is not full; each batch costs something there. */
  lingerSeconds: number;
  /** Whether what was sent is kept there: only then may the server's own log be shortened. */
  isKept: boolean;
}

/** The lines of a batch, each ended. */
export function batchLines(batch: SinkBatch): string {
  return batch.map(({ line }) => `${line}\n`).join('');
}
