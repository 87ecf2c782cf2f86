import type { Policy } from '../policy/model.js';
import type { Sensitivity, TableIdentity, TableKind } from '../schema/model.js';

export interface InstalledPack {
  name: string;
  version: string;
  checksum: string;
}

export interface BundleHeader {
  format_version: 'v1';
  org_slug: string;
  bundle_version: string;
  sequence: number;
  /** Commit time, RFC 3339 in UTC. */
  created_at: string;
  expires_at: string | null;
  source: { type: 'git'; repo: string; commit_sha: string; ref?: string; dirty: boolean };
  /** SHA-256 (hex) of the canonical form with `checksum` "" and `signing` null. */
  checksum: string;
  installed_packs: readonly InstalledPack[];
  default_action: 'deny' | 'allow' | 'mask' | 'require_approval';
  /** The project's clearances from lowest to highest, where vkit.yaml names other than low, medium, high, admin. */
  clearances?: readonly string[];
}

export interface BundleField {
  name: string;
  type: string;
  sensitivity: Sensitivity;
  category?: string;
  classification?: string;
  tags?: readonly string[];
  /** 1-based among the live columns at the reviewed scan; absent in bundles of other tools. */
  position?: number;
  nullable?: boolean;
}

export interface BundleDataset {
  name: string;
  datasource: string;
  table: TableIdentity;
  kind?: TableKind;
  primary_key?: readonly string[];
  unique_keys?: readonly (readonly string[])[];
  definition_digest?: string;
  /** Sorted by name. */
  fields: readonly BundleField[];
}

export interface BundleDatasource {
  name: string;
  /** An engine's name. */
  type: string;
  environment: string;
  region: string | null;
  config: Readonly<Record<string, unknown>>;
  /** Where the server finds the secret: `env`, `vaultkit`, `file`, `vault`, `aws-secrets`; never the secret. */
  credentials?: string;
  /** Of a backend that has many: which secret, and the keys in it where they are not `username` and `password`. */
  credentials_at?: { path: string; username_key?: string; password_key?: string };
  schema_check?: 'identity';
}

export interface BundleSigning {
  alg: 'EdDSA' | 'RS256' | 'ES256';
  /** RFC 7638 thumbprint of the signing key. */
  key_id: string;
  /** Compact JWS with detached payload (RFC 7515, appendix F). */
  signature: string;
}

/** The signed, immutable compilation of policies and registry: the only thing a server enforces. */
export interface Bundle {
  bundle: BundleHeader;
  registry: { datasets: readonly BundleDataset[]; datasources: readonly BundleDatasource[] };
  policies: readonly Policy[];
  signing: BundleSigning | null;
}
