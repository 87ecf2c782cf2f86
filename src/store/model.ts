import type { Aql } from '../aql/model.js';
import type { AuditEvent, AuditRecord } from '../audit/model.js';
import type { Decision } from '../policy/model.js';

/** Times are RFC 3339 texts in UTC with milliseconds (`2026-03-01T10:00:00.123Z`), so that text order is time order. */
export type Timestamp = string;

export interface UserRow {
  /** `usr_…` */
  id: string;
  /** Lower case, unique. */
  email: string;
  password_hash: string;
  roles: readonly string[];
  clearance: string | null;
  region: string | null;
  purposes: readonly string[];
  created_at: Timestamp;
  disabled_at: Timestamp | null;
  /** The one way in: a password, or the identity provider. */
  login: 'password' | 'oidc';
  /** Who the identity provider says it is: issuer and subject, as JSON; null before the first login there. */
  oidc_subject: string | null;
}

export interface SessionRow {
  /** `ses_…` */
  id: string;
  user_id: string;
  /** SHA-256 (hex) of the token's secret. */
  token_hash: string;
  created_at: Timestamp;
  expires_at: Timestamp;
  revoked_at: Timestamp | null;
  method: 'password' | 'oidc';
  /** The name and version of the client, and the peer's address, when it began. */
  client: string | null;
  address: string | null;
}

/** A login that was done in a browser, until the command line that asked for it has fetched its session. */
export interface CliLoginRow {
  /** SHA-256 (hex) of the code that the browser brought to the command line. */
  code_hash: string;
  /** SHA-256 (base64url) of what the command line alone knows. */
  challenge: string;
  user_id: string;
  expires_at: Timestamp;
}

export interface AgentTokenRow {
  /** `agt_…` */
  id: string;
  name: string;
  /** The first characters of the token, shown in lists. */
  prefix: string;
  token_hash: string;
  roles: readonly string[];
  clearance: string | null;
  region: string | null;
  purposes: readonly string[];
  /** The only datasources there are for the agent; null: all. */
  datasources: readonly string[] | null;
  /** The user the agent acts for. */
  on_behalf_of: string | null;
  created_by: string;
  created_at: Timestamp;
  expires_at: Timestamp | null;
  revoked_at: Timestamp | null;
}

export type BundleState = 'uploaded' | 'active' | 'superseded' | 'revoked';

export interface BundleRow {
  /** 1 for `v1`; ascending without gaps. */
  version: number;
  checksum: string;
  sequence: number;
  state: BundleState;
  /** The document as it was uploaded, JSON text: what checksum and signature cover. */
  document: string;
  /** The commit, the expiry and the signing key of the document, where lists and checks find them without reading it. */
  bundle_version: string;
  expires_at: string | null;
  /** Null where it is not signed. */
  key_id: string | null;
  uploaded_by: string;
  uploaded_at: Timestamp;
  /** When and by whom it became active last. */
  activated_at: Timestamp | null;
  activated_by: string | null;
  /** Why it is in its state, where somebody said so. */
  state_reason: string | null;
}

/** All of a version but its document, which can be large. */
export type BundleFacts = Omit<BundleRow, 'document'>;

export type RequestState = 'pending' | 'approved' | 'denied' | 'expired' | 'cancelled';

export interface RequestRow {
  /** `req_…`; also the id of its approval. */
  id: string;
  requester_kind: 'user' | 'agent';
  /** A user's or an agent token's id. */
  requester_id: string;
  aql: Aql;
  aql_hash: string;
  datasource: string;
  purpose: string | null;
  reason: string | null;
  metadata: Readonly<Record<string, string>>;
  /** What the request narrowed itself to; absent keys were not named. */
  narrowing: Readonly<{ role?: string; clearance?: string }>;
  ttl_seconds: number | null;
  state: RequestState;
  /** The error type of an answer that is no: policy_denied, unknown_field, no_active_bundle, approval_denied, … */
  denial_type: string | null;
  /** What the requester is told: the reason of the policy, or of the person who denied. */
  state_reason: string | null;
  decision: Decision | null;
  /** Output columns that come masked, as the requester is told. */
  masked_fields: readonly string[];
  created_at: Timestamp;
  /** When a pending request expires. */
  expires_at: Timestamp;
  decided_at: Timestamp | null;
}

export interface ApprovalRow {
  request_id: string;
  approver_id: string;
  verdict: 'approved' | 'denied';
  notes: string | null;
  ttl_seconds: number | null;
  /** The roles of the approver that counted, at that time. */
  roles: readonly string[];
  created_at: Timestamp;
}

export interface GrantRow {
  /** `gr_…`, the JWT's jti. */
  id: string;
  request_id: string;
  requester_id: string;
  datasource: string;
  jwt: string;
  bundle_checksum: string;
  epoch: number;
  created_at: Timestamp;
  expires_at: Timestamp;
  revoked_at: Timestamp | null;
  revoke_reason: string | null;
}

export interface IdempotencyRow {
  requester_id: string;
  route: string;
  key: string;
  body_hash: string;
  request_id: string;
  created_at: Timestamp;
}

/** A ticket that was not redeemed yet. */
export interface TicketRow {
  /** `tkt_…` */
  id: string;
  grant_id: string;
  expires_at: Timestamp;
}

/** A database that the server knows by itself, beside those of the active bundle; nothing of it is secret. */
export interface DatasourceRow {
  id: string;
  engine: string;
  environment: string;
  region: string | null;
  config: Readonly<Record<string, unknown>>;
  include: readonly string[] | null;
  exclude: readonly string[] | null;
  /** Whom the server logs in as; null where the engine has no logins, or nobody said. */
  username: string | null;
  created_at: Timestamp;
  updated_at: Timestamp;
}

/** A sealed secret, found by what it is of; all but the ids are base64, and nothing else of it is kept. */
export interface SecretRow {
  /** `datasource`, or another sort of thing that has secrets. */
  kind: string;
  id: string;
  /** The master secret that it is sealed under. */
  key_id: string;
  salt: string;
  nonce: string;
  ciphertext: string;
  tag: string;
}

/** A signed checkpoint of the audit log. */
export interface AuditCheckpointRow {
  /** The last record that it covers. */
  seq: number;
  timestamp: Timestamp;
  /** Compact JWS with all of its facts. */
  jws: string;
}

/** How far one place that audit records are sent to has come. */
export interface AuditSinkRow {
  name: string;
  type: string;
  /** The last record that is known to be there. */
  seq: number;
  /** The last checkpoint that is known to be there, by the record that it covers last. */
  checkpoint_seq: number;
  /** When something was delivered last. */
  delivered_at: Timestamp | null;
  /** Failed deliveries since the last that did not fail. */
  failures: number;
  failed_at: Timestamp | null;
  /** What went wrong last, in a sentence without secrets; null once it is right again. */
  last_error: string | null;
}

/** A record as it lies in the log. */
export interface AuditLine {
  seq: number;
  hash: string;
  timestamp: Timestamp;
  /** The canonical form (RFC 8785) of the record. */
  line: string;
}

/** `waiting` for its next attempt, or `dead`: given up, and kept for a while so that somebody can see why. */
export type NotificationState = 'waiting' | 'dead';

/** A message to one channel; delivered ones are removed. */
export interface NotificationRow {
  /** `ntf_…`; the same for each attempt, so that a receiver recognises a message that comes twice. */
  id: string;
  channel: string;
  state: NotificationState;
  /** What is told, before it is written for the channel. */
  notice: Readonly<Record<string, unknown>>;
  created_at: Timestamp;
  attempts: number;
  next_attempt_at: Timestamp;
  last_error: string | null;
}

/** What is true of the organisation as a whole. */
export interface OrganisationRow {
  slug: string;
  /** Raised by every activation; 0 before the first. */
  epoch: number;
  /** The highest sequence that was ever active; null before the first. */
  highest_sequence: number | null;
  created_at: Timestamp;
}

export interface RequestFilter {
  requesterId?: string;
  states?: readonly RequestState[];
  /** Only those whose time to be decided is over at this moment. */
  expiredAt?: Timestamp;
  limit: number;
  /** Only requests created before this one (id of the last of the former page). */
  beforeId?: string;
}

export interface AuditFilter {
  userId?: string;
  event?: string;
  dataset?: string;
  requestId?: string;
  /** From this time on. */
  since?: Timestamp;
  /** Before this time. */
  until?: Timestamp;
  /** Only records with a higher number: the cursor of a list in ascending order. */
  afterSeq?: number;
  /** Only records with a lower number: the cursor of a list in descending order. */
  beforeSeq?: number;
  order: 'asc' | 'desc';
  limit: number;
}

/**
 * Everything the server keeps. The same methods work inside a transaction, where they see its writes; a method outside
 * is a transaction of its own. Lists are newest first unless said otherwise. Unique violations throw `conflict`, a store
 * that cannot be reached throws `unavailable`.
 */
export interface StoreRepositories {
  readonly organisation: {
    get(): Promise<OrganisationRow | null>;
    create(row: OrganisationRow): Promise<void>;
    setEpoch(epoch: number, highestSequence: number): Promise<void>;
  };
  readonly users: {
    insert(row: UserRow): Promise<void>;
    byId(id: string): Promise<UserRow | null>;
    byEmail(email: string): Promise<UserRow | null>;
    byOidcSubject(subject: string): Promise<UserRow | null>;
    /** Enabled or not. */
    withRole(role: string, limit: number): Promise<UserRow[]>;
    list(limit: number): Promise<UserRow[]>;
    update(id: string, change: Partial<Omit<UserRow, 'id' | 'created_at'>>): Promise<boolean>;
  };
  readonly sessions: {
    insert(row: SessionRow): Promise<void>;
    byTokenHash(hash: string): Promise<SessionRow | null>;
    byId(id: string): Promise<SessionRow | null>;
    /** Of one person, or of all; only those that are in use at a moment, or all. */
    list(limit: number, filter?: { userId?: string; activeAt?: Timestamp }): Promise<SessionRow[]>;
    revoke(id: string, at: Timestamp): Promise<boolean>;
    revokeAllOf(userId: string, at: Timestamp): Promise<number>;
  };
  readonly cliLogins: {
    insert(row: CliLoginRow): Promise<void>;
    /** Takes it away: of two who ask at once, one gets it. Null where there is none. */
    take(codeHash: string): Promise<CliLoginRow | null>;
    /** Forgets those that nobody fetched in time. */
    removeExpired(now: Timestamp): Promise<void>;
  };
  readonly agentTokens: {
    insert(row: AgentTokenRow): Promise<void>;
    byTokenHash(hash: string): Promise<AgentTokenRow | null>;
    byId(id: string): Promise<AgentTokenRow | null>;
    /** By id, or by a prefix that only one token has. */
    byIdOrPrefix(text: string): Promise<AgentTokenRow | null>;
    /** Names are not unique: those that are not revoked, the newest first. */
    byName(name: string, limit: number): Promise<AgentTokenRow[]>;
    /** Those that act for a person and are not revoked. */
    onBehalfOf(userId: string, limit: number): Promise<AgentTokenRow[]>;
    list(limit: number): Promise<AgentTokenRow[]>;
    revoke(id: string, at: Timestamp): Promise<boolean>;
  };
  readonly bundles: {
    /** Assigns and returns the next version. */
    insert(row: Omit<BundleRow, 'version'>): Promise<number>;
    active(): Promise<BundleFacts | null>;
    byVersion(version: number): Promise<BundleFacts | null>;
    byChecksum(checksum: string): Promise<BundleFacts | null>;
    /** The document of a version as it was uploaded. */
    document(version: number): Promise<string | null>;
    list(limit: number): Promise<BundleFacts[]>;
    /** The reason is that of the new state; without one there is none. */
    setState(
      version: number,
      state: BundleState,
      change: { reason?: string; activated?: { at: Timestamp; by: string } },
    ): Promise<void>;
    /** Puts another signature over the same content; the checksum does not cover it. */
    resign(version: number, signed: Pick<BundleRow, 'document' | 'key_id'>): Promise<void>;
  };
  readonly requests: {
    insert(row: RequestRow): Promise<void>;
    byId(id: string): Promise<RequestRow | null>;
    list(filter: RequestFilter): Promise<RequestRow[]>;
    /** How many of one requester are in a state. */
    count(requesterId: string, state: RequestState): Promise<number>;
    /** Changes the row only while it is in state `from`; false when it had moved. */
    transition(
      id: string,
      from: RequestState,
      change: Partial<
        Pick<
          RequestRow,
          'state' | 'denial_type' | 'state_reason' | 'decision' | 'masked_fields' | 'decided_at'
        >
      >,
    ): Promise<boolean>;
  };
  readonly approvals: {
    /** One verdict per person and request: a second one throws `already_decided`. */
    insert(row: ApprovalRow): Promise<void>;
    ofRequest(requestId: string): Promise<ApprovalRow[]>;
  };
  readonly grants: {
    insert(row: GrantRow): Promise<void>;
    byId(id: string): Promise<GrantRow | null>;
    byRequest(requestId: string): Promise<GrantRow | null>;
    /** False when it was revoked before. */
    revoke(id: string, at: Timestamp, reason: string): Promise<boolean>;
    /** Grants that expired in (after, until] and were not revoked, oldest first. */
    expiredBetween(after: Timestamp, until: Timestamp, limit: number): Promise<GrantRow[]>;
  };
  readonly datasources: {
    insert(row: DatasourceRow): Promise<void>;
    byId(id: string): Promise<DatasourceRow | null>;
    /** By id, in the order of the ids. */
    list(limit: number): Promise<DatasourceRow[]>;
    update(id: string, change: Partial<Omit<DatasourceRow, 'id' | 'created_at'>>): Promise<boolean>;
    /** False where there was none. */
    remove(id: string): Promise<boolean>;
  };
  readonly secrets: {
    /** Replaces the one that was there. */
    put(row: SecretRow): Promise<void>;
    get(kind: string, id: string): Promise<SecretRow | null>;
    /** The ids of a kind that have a secret. */
    ids(kind: string): Promise<string[]>;
    /** False where there was none. */
    remove(kind: string, id: string): Promise<boolean>;
    isEmpty(): Promise<boolean>;
    /** Of any kind, those that are sealed under another master secret than this one, by kind and id, from after one on. */
    notUnder(
      keyId: string,
      limit: number,
      after?: { kind: string; id: string },
    ): Promise<SecretRow[]>;
    /** Of any kind, how many are sealed under each master secret. */
    countByKey(): Promise<{ key_id: string; secrets: number }[]>;
    /** Puts a secret in the place of `before`; false where that is not there any more. */
    replace(before: SecretRow, row: SecretRow): Promise<boolean>;
  };
  readonly notifications: {
    insert(row: NotificationRow): Promise<void>;
    /** Of one channel, what waits and whose next attempt is due, the longest due first. */
    due(channel: string, now: Timestamp, limit: number): Promise<NotificationRow[]>;
    update(
      id: string,
      change: Partial<
        Pick<NotificationRow, 'state' | 'attempts' | 'next_attempt_at' | 'last_error'>
      >,
    ): Promise<boolean>;
    /** False where there was none. */
    remove(id: string): Promise<boolean>;
    /** In this state and made before a time, the oldest first. */
    before(state: NotificationState, time: Timestamp, limit: number): Promise<NotificationRow[]>;
  };
  readonly tickets: {
    insert(row: TicketRow): Promise<void>;
    /** Takes it away: of two who redeem it at once, one gets it. Null where there is none, or it has expired. */
    redeem(id: string, now: Timestamp): Promise<TicketRow | null>;
    /** Forgets those that nobody redeemed in time. */
    removeExpired(now: Timestamp): Promise<void>;
  };
  readonly idempotency: {
    find(requesterId: string, route: string, key: string): Promise<IdempotencyRow | null>;
    insert(row: IdempotencyRow): Promise<void>;
  };
  readonly audit: {
    /** Numbers, chains and signs the event in this transaction; returns the record as it stands in the log. */
    append(event: AuditEvent): Promise<AuditRecord>;
    list(filter: AuditFilter): Promise<AuditRecord[]>;
    /** As `list`, each as the text that it is kept as. */
    lines(filter: AuditFilter): Promise<AuditLine[]>;
    /** The hashes of the records after one, in order. */
    hashes(afterSeq: number, limit: number): Promise<{ seq: number; hash: string }[]>;
    /** The hash and the time of one record; null where there is none with this number. */
    at(seq: number): Promise<Omit<AuditLine, 'line'> | null>;
    /** The first record that is still there, or null in an empty log. */
    first(): Promise<Omit<AuditLine, 'line'> | null>;
    /** Takes out the records up to this one; never the last one. Returns how many there were. */
    removeUpTo(seq: number): Promise<number>;
    /** The last record, or null in an empty log. */
    head(): Promise<{ seq: number; hash: string } | null>;
  };
  readonly auditCheckpoints: {
    /** Throws `conflict` where there is one up to the same record. */
    insert(row: AuditCheckpointRow): Promise<void>;
    /** In the order of the log, or the other way round. */
    list(filter: {
      order: 'asc' | 'desc';
      limit: number;
      afterSeq?: number;
      beforeSeq?: number;
    }): Promise<AuditCheckpointRow[]>;
    bySeq(seq: number): Promise<AuditCheckpointRow | null>;
    last(): Promise<AuditCheckpointRow | null>;
  };
  readonly auditSinks: {
    /** Begins a sink before the first record that is still there, unless it has begun already. */
    begin(sink: Pick<AuditSinkRow, 'name' | 'type'>): Promise<AuditSinkRow>;
    list(): Promise<AuditSinkRow[]>;
    /** Moves a sink on, only while it is where `from` says; false when it had moved. */
    advance(
      from: Pick<AuditSinkRow, 'name' | 'seq' | 'checkpoint_seq'>,
      to: Pick<AuditSinkRow, 'seq' | 'checkpoint_seq'> & { at: Timestamp },
    ): Promise<boolean>;
    failed(name: string, error: { message: string; at: Timestamp }): Promise<void>;
    /**
     * Whether the log has this record. Once it resolves to true, the record and each before it is on disk: nothing is sent
     * away that a loss of power could take back.
     */
    settled(name: string, record: Pick<AuditLine, 'seq' | 'hash'>): Promise<boolean>;
  };
}

/** An event in the log. */
export interface RecordedEvent {
  auditId: string;
  /**
   * Resolves once its record, and each before it, is on disk, which a loss of power may keep it from; rejects where it never
   * will be. The disk is waited for only when this is called.
   */
  onDisk(): Promise<void>;
}

export interface Store extends StoreRepositories {
  /**
   * Runs `work` in one serialised, durable transaction: all of it is on disk when the promise resolves, none when it
   * rejects. Work must not wait for anything but the store.
   */
  transaction<T>(work: (tx: StoreRepositories) => Promise<T>): Promise<T>;
  /**
   * Rises before a user, a session or an agent token changes: what was read of them holds while the number is the same as
   * before it was read. Throws `unavailable` where it is not known whether another process has changed one (see `renew`).
   */
  accountsVersion(): number;
  /**
   * Where it is not known whether another process has changed something: asks, and resolves, or rejects with `unavailable`, when
   * there is an answer. Else undefined: there is nothing to wait for.
   */
  renew(): Promise<void> | undefined;
  /** Rises with every change but those of the audit log; also with one that is rolled back. */
  revision(): number;
  /**
   * Appends an event that nothing else is written with; what is read afterwards has it. With a revision, only if nothing has
   * changed since the store had it: else null, and nothing is written.
   */
  record(event: AuditEvent): Promise<RecordedEvent>;
  record(event: AuditEvent, revision: number): Promise<RecordedEvent | null>;
  /**
   * Runs work that one process at a time is to do (sinks, messages, the sweep), unless somebody is at this work already: then
   * it resolves to false and nothing is run. Who is cut off from the store in the middle may be followed by another before it
   * notices, so what must not happen twice is guarded by the work itself.
   */
  exclusively(name: string, work: () => Promise<void>): Promise<boolean>;
  /**
   * Tells what this process has to look after by itself: that another one has changed what somebody may do (`changed`), or that
   * for LEASE_MS nothing has been heard of what others change (`lost`). Returns what ends it.
   */
  watch(listener: (event: 'changed' | 'lost') => void): () => void;
  /**
   * Writes all of it, as it is at one moment, into a new file, while others go on working; absent where the database has means
   * of its own.
   */
  backUp?(path: string): Promise<void>;
  close(): Promise<void>;
}
