import type { Policy } from '../policy/model.js';
import type {
  LockDataset,
  LockField,
  Registry,
  RegistryDataset,
  RegistryField,
  RegistryLock,
} from '../schema/model.js';
import { bundleChecksum } from './canonicalise.js';
import type {
  Bundle,
  BundleDataset,
  BundleDatasource,
  BundleField,
  BundleHeader,
  InstalledPack,
} from './model.js';
import { tableOfKey } from './parse-bundle.js';

export interface CompileInput {
  org: string;
  /** The commit compiled: its id and its time (RFC 3339 in UTC). */
  commit: { sha: string; time: string };
  sequence: number;
  /** RFC 3339; null: never. */
  expiresAt: string | null;
  repo: string;
  ref?: string;
  dirty: boolean;
  defaultAction: BundleHeader['default_action'];
  /** From lowest to highest, where the project names its own. */
  clearances?: readonly string[];
  installedPacks: readonly InstalledPack[];
  policies: readonly Policy[];
  registry: Registry;
  /** Null where no scan ever wrote one: the bundle then says names and types only. */
  lock: RegistryLock | null;
  /** Their `config` must be free of secrets; `parseDatasourceFile` sees to it. */
  datasources: readonly BundleDatasource[];
}

/**
 * Compiles what was parsed into an unsigned bundle with its checksum. Pure: the same input gives the
 * same bundle, whatever the order of the lists. Where there is a lock, only what a scan has seen goes in: a dataset
 * or field that the lock does not know is left out, and so denied.
 */
export function compileBundle(input: CompileInput): Bundle {
  const document: Bundle = {
    bundle: {
      format_version: 'v1',
      org_slug: input.org,
      bundle_version: input.commit.sha,
      sequence: input.sequence,
      created_at: input.commit.time,
      expires_at: input.expiresAt,
      source: {
        type: 'git',
        repo: input.repo,
        commit_sha: input.commit.sha,
        ...(input.ref === undefined ? {} : { ref: input.ref }),
        dirty: input.dirty,
      },
      checksum: '',
      installed_packs: [...input.installedPacks]
        .sort(byName)
        .map(({ name, version, checksum }) => ({ name, version, checksum })),
      default_action: input.defaultAction,
      ...(input.clearances === undefined ? {} : { clearances: input.clearances }),
    },
    registry: {
      datasets: compileDatasets(input.registry, input.lock),
      datasources: [...input.datasources].sort(byName).map(compileDatasource),
    },
    policies: [...input.policies].sort(byPriority).map((policy) => withoutUndefined(policy)),
    signing: null,
  };
  return { ...document, bundle: { ...document.bundle, checksum: bundleChecksum(document) } };
}

/** What a bundle says of a registry: without a lock its names and types only, with one only what a scan has seen. */
export function compileDatasets(registry: Registry, lock: RegistryLock | null): BundleDataset[] {
  const compileField = fieldCompiler();
  return [...registry]
    .map(([name, dataset]) => compileDataset(name, dataset, lock, compileField))
    .filter((dataset) => dataset !== null)
    .sort(byName);
}

function compileDataset(
  name: string,
  dataset: RegistryDataset,
  lock: RegistryLock | null,
  compileField: FieldCompiler,
): BundleDataset | null {
  // Marked gone by a scan: its tags wait for its return, and it is not served.
  if (dataset.gone) return null;
  const locked = lock === null ? null : ownEntry(lock.datasets, name);
  if (locked === undefined || (locked !== null && locked.datasource !== dataset.datasource))
    return null;
  const fields = [...dataset.fields]
    .map(([field, described]) => compileField(field, described, locked))
    .filter((field) => field !== null)
    .sort(byName);
  if (locked === null) {
    return {
      name,
      datasource: dataset.datasource,
      table: tableOfKey(name, dataset.datasource),
      fields,
    };
  }
  return {
    name,
    datasource: dataset.datasource,
    table: withoutUndefined({
      schema: locked.table.schema,
      name: locked.table.name,
      oid: locked.table.oid,
    }),
    kind: locked.kind,
    primary_key: locked.primary_key,
    unique_keys: locked.unique_keys,
    ...(locked.definition_digest === undefined
      ? {}
      : { definition_digest: locked.definition_digest }),
    fields,
  };
}

/** `null` for what is not served. */
type FieldCompiler = (
  name: string,
  field: RegistryField,
  locked: LockDataset | null,
) => BundleField | null;

/**
 * Compiles equal columns of many tables to one object: a large registry has hundreds of thousands of fields, and few
 * different ones. The type is the lock's, since it is what the database has and what the server compares with.
 */
function fieldCompiler(): FieldCompiler {
  const known = new Map<RegistryField, Map<string, BundleField>>();
  return (name, field, locked) => {
    const column = locked === null ? null : ownEntry(locked.fields, name);
    if (field.gone || column === undefined) return null;
    let alike = known.get(field);
    if (alike === undefined) {
      alike = new Map();
      known.set(field, alike);
    }
    // The length tells where the name ends, whatever stands in it.
    const key =
      column === null
        ? name
        : `${column.position} ${column.nullable} ${name.length} ${name}${column.type}`;
    const before = alike.get(key);
    if (before !== undefined) return before;
    const made = compileField(name, field, column);
    alike.set(key, made);
    return made;
  };
}

function compileField(name: string, field: RegistryField, column: LockField | null): BundleField {
  const { sensitivity, category, classification, tags } = field;
  const compiled: BundleField = { name, type: column?.type ?? field.type, sensitivity, category };
  if (classification !== undefined) compiled.classification = classification;
  if (tags.length > 0) compiled.tags = [...new Set(tags)].sort();
  if (column === null) return compiled;
  compiled.position = column.position;
  compiled.nullable = column.nullable;
  return compiled;
}

function compileDatasource(datasource: BundleDatasource): BundleDatasource {
  const { name, type, environment, region, config, schema_check } = datasource;
  const { credentials, credentials_at } = datasource;
  const place = { credentials, credentials_at };
  return withoutUndefined({ name, type, environment, region, config, ...place, schema_check });
}

/** By code units and not by a locale, which would differ between machines. */
function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function byPriority(a: Policy, b: Policy): number {
  return b.priority - a.priority || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** A dataset named `constructor` is a dataset, not something of the prototype. */
function ownEntry<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(
    Object.entries(value).filter(([, item]) => item !== undefined),
  ) as Defined<T>;
}
