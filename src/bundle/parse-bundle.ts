import schema from '../../schemas/policy_bundle.schema.json' with { type: 'json' };
import type { Problem } from '../errors/index.js';
import type { Policy } from '../policy/model.js';
import { normaliseBundlePolicy } from '../policy/normalise-bundle-policy.js';
import type { Sensitivity, TableIdentity, TableKind } from '../schema/model.js';
import { checkSchema } from '../util/check-schema.js';
import { repeatedKeys } from '../util/repeated-keys.js';
import { findSecrets } from './find-secrets.js';
import type {
  Bundle,
  BundleDataset,
  BundleDatasource,
  BundleHeader,
  BundleSigning,
} from './model.js';

const PROBLEMS_MAX = 100;
/** Policies and configurations need a handful of levels. */
const DEPTH_MAX = 32;

/** A bundle that has the right form. Checksum and signature are over `document`, never over `bundle`. */
export interface ParsedBundle {
  /** As it was received. */
  document: unknown;
  /** With what older forms leave out filled in. */
  bundle: Bundle;
}

/**
 * Reads a bundle of this or another tool: `signing` null or absent, `ttl_seconds` as "4h", and
 * without the keys only vkit writes. Unknown keys are refused, since a condition nobody understands must not
 * be skipped. Returns every problem, each with its JSON Pointer; verifying it is `verifyBundle`'s.
 */
export function parseBundle(value: unknown): ParsedBundle | { problems: readonly Problem[] } {
  if (isDeeperThan(value, DEPTH_MAX)) {
    const message = `A bundle is nested at most ${DEPTH_MAX} levels deep.`;
    return { problems: [{ pointer: '', code: 'limit_exceeded', message }] };
  }
  const found: Problem[] = checkSchema(SHELL_SCHEMA, value).map(
    ({ pointer, code, message, suggestion }) => ({
      pointer,
      code,
      message,
      ...(suggestion === undefined ? {} : { suggestion }),
    }),
  );
  const isShaped = found.length === 0;
  const { policies, problems } = readPolicies(value);
  found.push(...problems);
  if (!isShaped || found.length > 0) return { problems: found };
  const raw = value as RawBundle;
  found.push(...duplicates(raw, policies), ...strayDatasources(raw), ...secrets(raw));
  return found.length > 0
    ? { problems: found }
    : { document: value, bundle: { ...normalise(raw), policies } };
}

/**
 * The same for a text. A key that stands twice in an object is refused: parsers differ in which one they keep, so that one
 * signature would cover two readings. Throws `SyntaxError` for text that is no JSON.
 */
export function parseBundleText(text: string): ParsedBundle | { problems: readonly Problem[] } {
  const value: unknown = JSON.parse(text);
  const repeated = repeatedKeys(text, value);
  return repeated.length === 0 ? parseBundle(value) : { problems: repeated.map(repeatedKey) };
}

/** The problem of a key that stands twice in a JSON text. */
function repeatedKey(pointer: string): Problem {
  return { pointer, code: 'duplicate_key', message: `The key ${pointer} stands there twice.` };
}

/** Goes level by level, so that no depth can end the program. */
function isDeeperThan(value: unknown, levels: number): boolean {
  let level = [value];
  for (let depth = 0; depth <= levels; depth += 1) {
    level = level.flatMap((one) =>
      typeof one === 'object' && one !== null ? Object.values(one) : [],
    );
    if (level.length === 0) return false;
  }
  return true;
}

/** Policies have forms that a schema alone does not tell apart; the policy room reads them. */
export const SHELL_SCHEMA = {
  ...schema,
  properties: {
    ...schema.properties,
    policies: { type: 'array', maxItems: schema.properties.policies.maxItems },
  },
};

function readPolicies(value: unknown): { policies: Policy[]; problems: Problem[] } {
  const { bundle, policies: list } = (value ?? {}) as {
    bundle?: { clearances?: unknown } | null;
    policies?: unknown;
  };
  const policies: Policy[] = [];
  const problems: Problem[] = [];
  if (!Array.isArray(list) || list.length > schema.properties.policies.maxItems)
    return { policies, problems };
  const clearances = Array.isArray(bundle?.clearances) ? bundle.clearances.map(String) : undefined;
  for (const [index, entry] of list.entries()) {
    const read = normaliseBundlePolicy(entry, clearances === undefined ? {} : { clearances });
    if (read.policy !== null) policies.push(read.policy);
    for (const { pointer, code, message } of read.problems) {
      problems.push({ pointer: `/policies/${index}${pointer}`, code, message });
    }
    if (problems.length > PROBLEMS_MAX) break;
  }
  return { policies, problems };
}

/** The form the schema grants: what may be absent or null here is filled in by `normalise`. */
interface RawBundle {
  bundle: Partial<BundleHeader> &
    Pick<BundleHeader, 'org_slug' | 'bundle_version' | 'created_at' | 'checksum'>;
  registry: {
    datasets: readonly RawDataset[];
    datasources: readonly (Omit<BundleDatasource, 'config' | 'region'> &
      Nullable<Pick<BundleDatasource, 'config' | 'region'>>)[];
  };
  policies: readonly unknown[];
  signing?: BundleSigning | null;
}
type Nullable<T> = { [K in keyof T]?: T[K] | null };
interface RawDataset {
  name: string;
  datasource: string;
  table?: TableIdentity;
  kind?: TableKind;
  fields: readonly ({
    name: string;
    type: string;
    sensitivity: Sensitivity;
    position?: number;
    nullable?: boolean;
  } & Nullable<{ category: string; classification: string; tags: readonly string[] }>)[];
}
function normalise(raw: RawBundle): Omit<Bundle, 'policies'> {
  const { source, ...header } = raw.bundle;
  return {
    bundle: {
      ...withoutNulls(header),
      format_version: 'v1',
      org_slug: header.org_slug,
      bundle_version: header.bundle_version,
      sequence: header.sequence ?? 0,
      created_at: header.created_at,
      expires_at: header.expires_at ?? null,
      source: {
        ...withoutNulls(source ?? {}),
        type: 'git',
        repo: source?.repo ?? '',
        commit_sha: source?.commit_sha ?? header.bundle_version,
        dirty: source?.dirty ?? false,
      },
      checksum: header.checksum,
      installed_packs: (header.installed_packs ?? []).map((pack) => ({
        ...pack,
        checksum: pack.checksum ?? '',
      })),
      default_action: header.default_action ?? 'deny',
    },
    registry: {
      datasets: raw.registry.datasets.map(normaliseDataset),
      datasources: raw.registry.datasources.map((datasource) => ({
        ...datasource,
        region: datasource.region ?? null,
        config: datasource.config ?? {},
      })),
    },
    signing: raw.signing ?? null,
  };
}

function normaliseDataset(dataset: RawDataset): BundleDataset {
  return {
    ...dataset,
    table: dataset.table ?? tableOfKey(dataset.name, dataset.datasource),
    fields: dataset.fields.map((field) => withoutNulls(field)),
  };
}

/** The table that a registry key without a lock entry names: `[datasource.][schema.]table`. */
export function tableOfKey(key: string, datasource: string): TableIdentity {
  const isPrefixed = key.toLowerCase().startsWith(`${datasource}.`.toLowerCase());
  const local = isPrefixed ? key.slice(datasource.length + 1) : key;
  const dot = local.indexOf('.');
  return dot < 0
    ? { schema: '', name: local }
    : { schema: local.slice(0, dot), name: local.slice(dot + 1) };
}

function* duplicates(raw: RawBundle, policies: readonly Policy[]): Generator<Problem> {
  yield* repeated(
    '/policies',
    'policy',
    policies.map(({ id }) => id),
  );
  yield* repeated(
    '/registry/datasources',
    'datasource',
    raw.registry.datasources.map(({ name }) => name),
  );
  yield* repeated(
    '/registry/datasets',
    'dataset',
    raw.registry.datasets.map(({ name }) => name),
  );
  for (const [index, dataset] of raw.registry.datasets.entries()) {
    yield* repeated(
      `/registry/datasets/${index}/fields`,
      'field',
      dataset.fields.map(({ name }) => name),
    );
  }
}

function* repeated(pointer: string, what: string, names: readonly string[]): Generator<Problem> {
  const seen = new Set<string>();
  for (const [index, name] of names.entries()) {
    if (seen.has(name)) {
      yield {
        pointer: `${pointer}/${index}`,
        code: 'duplicate',
        message: `The ${what} "${name}" is there twice.`,
      };
    }
    seen.add(name);
  }
}

function* strayDatasources(raw: RawBundle): Generator<Problem> {
  const known = new Set(raw.registry.datasources.map(({ name }) => name));
  for (const [index, { name, datasource }] of raw.registry.datasets.entries()) {
    if (known.has(datasource)) continue;
    const message = `The dataset "${name}" is in the datasource "${datasource}", which is not in the bundle.`;
    yield {
      pointer: `/registry/datasets/${index}/datasource`,
      code: 'unknown_datasource',
      message,
    };
  }
}

function* secrets(raw: RawBundle): Generator<Problem> {
  for (const [index, { config }] of raw.registry.datasources.entries()) {
    for (const { path, message } of findSecrets(config ?? {})) {
      const pointer = ['/registry/datasources', index, 'config', ...path].join('/');
      yield {
        pointer,
        code: 'secret_inline',
        message: `${message} A bundle carries no credentials.`,
      };
    }
  }
}

/** A key that is null in an older form means what its absence means. */
function withoutNulls<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], null> } {
  return Object.fromEntries(
    Object.entries(value).filter(([, item]) => item !== null && item !== undefined),
  ) as {
    [K in keyof T]: Exclude<T[K], null>;
  };
}
