/** The sensitivities of a field, from least to most. */
export const SENSITIVITIES = ['low', 'medium', 'high'] as const;
export type Sensitivity = (typeof SENSITIVITIES)[number];

export function isSensitivity(value: unknown): value is Sensitivity {
  return SENSITIVITIES.some((sensitivity) => sensitivity === value);
}

/** One column as the reviewed baseline (`config/registry.yaml`) describes it. */
export interface RegistryField {
  /** A normalised type of `FIELD_TYPES`, or an array of one (`text[]`). */
  type: string;
  sensitivity: Sensitivity;
  category: string;
  classification?: string;
  tags: readonly string[];
  description?: string;
  /**
   * The last scan did not find the column. Its tags stay, for the day it returns; it is not compiled into a bundle.
   */
  gone?: boolean;
}

/** One table or view of the baseline. `fields` keeps the order of the file. */
export interface RegistryDataset {
  datasource: string;
  description?: string;
  /** The last scan did not find the table; it is not compiled into a bundle. */
  gone?: boolean;
  fields: ReadonlyMap<string, RegistryField>;
}

/** The reviewed baseline: dataset key to dataset. */
export type Registry = ReadonlyMap<string, RegistryDataset>;

/** Where a dataset lives in its database. An empty `schema` stands for an engine without schemas. */
export interface TableIdentity {
  schema: string;
  name: string;
  /** The engine's own object id, where it has one; it serves a scan to recognise renames. */
  oid?: number;
}

export interface ForeignKey {
  columns: readonly string[];
  references: { schema: string; table: string; columns: readonly string[] };
}

/** Row-level security of a table: `forced` holds for its owner too. */
export const ROW_SECURITY = ['enabled', 'forced'] as const;
export type RowSecurity = (typeof ROW_SECURITY)[number];

export const TABLE_KINDS = ['table', 'view', 'materialized_view', 'foreign_table'] as const;
export type TableKind = (typeof TABLE_KINDS)[number];

/** What `config/registry.lock.json` records of a column beside the baseline. */
export interface LockField {
  /** The normalised type the database had at the scan. */
  type: string;
  /** 1-based, counted among the live columns of the table in their order. */
  position: number;
  /** The engine's own number of the column, where it has one: a renamed column keeps it, and no other one ever gets it. */
  number?: number;
  nullable: boolean;
  generated?: boolean;
  /** The engine's own name of the type, for people. */
  native?: string;
  default_digest?: string;
  comment_digest?: string;
  /** Of a scan that was asked for them: they can hold secrets. */
  texts?: { default?: string; comment?: string };
}

export interface LockDataset {
  datasource: string;
  kind: TableKind;
  table: TableIdentity;
  primary_key: readonly string[];
  /** Unique keys whose columns are all not null, beside the primary key. */
  unique_keys: readonly (readonly string[])[];
  foreign_keys: readonly ForeignKey[];
  /** SHA-256 (hex) of a view's definition as the engine prints it. */
  definition_digest?: string;
  /** A view's own, of a scan that was asked for it. */
  definition?: string;
  /** Absent: off, or the engine has none. */
  row_security?: RowSecurity;
  fields: Readonly<Record<string, LockField>>;
}

/** The generated companion of the registry, keyed by the same dataset keys. */
export interface RegistryLock {
  format_version: 'v1';
  datasets: Readonly<Record<string, LockDataset>>;
}

/** A column whose values another one is made of. */
export interface ColumnOrigin {
  schema: string;
  table: string;
  column: string;
}

/** One column as an engine reports it. */
export interface ScannedColumn extends LockField {
  name: string;
  native: string;
  comment?: string;
  /**
   * The columns it is made of, where the engine tells: all of them for a generated column, for one of a view perhaps only
   * some. The lock does not record them.
   */
  origins?: readonly ColumnOrigin[];
}

/** One table or view as an engine reports it. */
export interface ScannedTable {
  table: TableIdentity;
  kind: TableKind;
  primary_key: readonly string[];
  unique_keys: readonly (readonly string[])[];
  foreign_keys: readonly ForeignKey[];
  definition_digest?: string;
  /** A view's own, of a scan that was asked for it. */
  definition?: string;
  /** Absent: off, or the engine has none. */
  row_security?: RowSecurity;
  /** The columns that a view reads, where the engine tells, but not which of them its own columns show. */
  reads?: readonly ColumnOrigin[];
  /** In the order of their positions. */
  columns: readonly ScannedColumn[];
}

/** Something the login of a datasource could do and vkit never needs. */
export interface LoginAbility {
  code:
    | 'superuser'
    /** Manages logins, databases, replication, or reads past row-level security. */
    | 'administer'
    /** Reads or writes files, or runs programs, on the database's machine. */
    | 'files'
    | 'own'
    | 'write'
    /** Makes tables. */
    | 'create'
    /** Gets what others will make, before anybody has reviewed it. */
    | 'future_tables';
  /** A sentence without names from the database. */
  message: string;
  /** What it concerns, as the database names it, the first of them. */
  objects: readonly string[];
  /** How many there are. */
  count: number;
}

/** What a scan read: only what the database really has. */
export interface ScannedSchema {
  /** Product and version, for people: `postgres 15.4`. */
  server: string;
  /** The schema whose tables get an unqualified registry key. */
  defaultSchema: string;
  tables: readonly ScannedTable[];
  /** What the login could do beyond reading; absent where the engine was not asked. */
  login?: readonly LoginAbility[];
}
