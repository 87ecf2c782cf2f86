import type { KeyObject } from 'node:crypto';
import type { BundleDatasource } from '../../bundle/model.js';
import type { Credentials, Engine } from '../../engines/contract.js';
import type { VerifiedGrants } from '../../grants/verify-grant.js';
import type { TokenCodec } from '../../masking/token-codec.js';
import type { Store } from '../../store/model.js';
import type { Vault } from '../../vault/vault.js';
import type { Connectors } from '../connectors.js';
import type { DataPlane } from '../data-plane.js';
import type { OidcProvider } from '../oidc-provider.js';
import type { ServerKeys } from '../server-keys.js';
import type { ActiveBundleReader } from './active-bundle.js';
import type { Activity } from './activity.js';
import type { CallSpan } from './call-span.js';
import type { Authenticator } from './identity.js';
import type { KeptPermits } from './kept-permits.js';
import type { RunningQueries } from './running-queries.js';

/** What the server's file and flags decide about the control plane. */
export interface ControlSettings {
  allowUnsignedBundles: boolean;
  allowDirtyBundles: boolean;
  /** Rows of one answer where neither the query nor a policy says less. */
  rowCap: number;
  sessionTtlSeconds: number;
  /** How long a request waits for its approval. */
  requestTtlSeconds: number;
  /** How long one answer may take as a whole. */
  streamDeadlineSeconds: number;
  /** How long a client may take for a part of an answer, beside what the least rate allows. */
  streamStallSeconds: number;
  streamBytesPerSecondMin: number;
  /** Hosts that passwords of the vault may be sent to without TLS that is verified, loopback aside. */
  clearPasswordHosts: readonly string[];
}

/** What this control plane knows of its executors. */
export interface Executors {
  /** Their addresses, which are the audiences of tickets. */
  urls: readonly string[];
  /** The secret they share with the control plane. */
  token: string;
  /** The login of a datasource, for one fetch. */
  credentials: (datasource: BundleDatasource) => Promise<Credentials>;
  /** Of datasources that do not say their own. */
  statementTimeoutMs: number;
}

/** Which messages a channel gets. */
export interface NotificationRoute {
  channel: string;
  /** Absent: all. */
  events?: readonly string[];
  /** Only requests that one of these roles approves; absent: all. */
  approverRoles?: readonly string[];
}

/** Everything the use cases of the control plane work with; made once, in app.ts. */
export interface ControlContext {
  org: string;
  store: Store;
  keys: ServerKeys;
  /** Public keys that bundles may be signed with; apart from the server's own. */
  trustedBundleKeys: () => Promise<readonly KeyObject[]>;
  settings: ControlSettings;
  /** Milliseconds since the epoch. */
  now: () => number;
  activeBundle: ActiveBundleReader;
  /** The identity behind a bearer token; throws `unauthenticated`. */
  authenticate: Authenticator;
  /** What this plane has verified; the data plane verifies by itself. */
  verifiedGrants: VerifiedGrants;
  permits: KeptPermits;
  dataPlane: DataPlane;
  /** The processes that execute; null where this one does it by itself. */
  executors: Executors | null;
  /** Every engine by its name. */
  engines: Readonly<Record<string, Engine>>;
  connectors: Connectors;
  vault: Vault;
  tokens: TokenCodec;
  running: RunningQueries;
  /** Null where people log in with passwords alone. */
  oidc: OidcProvider | null;
  /** The sinks of the audit log that the configuration names. */
  auditSinkNames: readonly string[];
  /** The channels that messages are put into the outbox for. */
  notifications: readonly NotificationRoute[];
  activity: Activity;
}

/** What a transport knows of one call. */
export interface CallMeta {
  correlationId: string;
  /** The peer's address, for the audit log. */
  address?: string;
  /** The client's name and version, cut to a bound, for the audit log. */
  client?: string;
  /** Where the call is in its trace; absent where nobody traces. */
  span?: CallSpan;
}

export function timestamp(now: number): string {
  return new Date(now).toISOString();
}
