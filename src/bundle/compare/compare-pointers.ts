import { compareText } from '../../policy/policy-set.js';
import { canonicalise } from '../canonicalise.js';
import type { Bundle, BundleDataset, BundleDatasource } from '../model.js';
import type { BundleChange, Direction } from './model.js';

/**
 * What differs between two bundles that no decision shows: what their datasets and datasources stand for in the databases,
 * how long the bundle holds, and whose and how old it is. The same name for something else opens what is there now and
 * closes what was there before.
 */
export function comparePointers(a: Bundle, b: Bundle): readonly BundleChange[] {
  const [from, to] = [a.bundle, b.bundle];
  const shared = inBoth(a.registry.datasets, b.registry.datasets);
  const used = new Set(shared.flatMap(([before, after]) => [before.datasource, after.datasource]));
  const sources = [a, b].map(
    ({ registry }) => new Map(registry.datasources.map((one) => [one.name, one])),
  );
  const isLower = to.sequence < from.sequence;
  return [
    changeOf('bundle', null, null, { org_slug: from.org_slug }, { org_slug: to.org_slug }),
    changeOf(
      'bundle',
      null,
      null,
      isLower ? { sequence: from.sequence } : {},
      isLower ? { sequence: to.sequence } : {},
    ),
    changeOf(
      'bundle',
      null,
      directionOfExpiry(from.expires_at, to.expires_at),
      { expires_at: from.expires_at },
      { expires_at: to.expires_at },
    ),
    ...shared.map(([before, after]) =>
      changeOf('dataset', before.name, 'changed', tableOf(before), tableOf(after)),
    ),
    ...[...used]
      .sort(compareText)
      .map((name) =>
        changeOf(
          'datasource',
          name,
          'changed',
          ...pairOf(sources[0]?.get(name), sources[1]?.get(name)),
        ),
      ),
  ].filter((change) => change !== null);
}

/** Those of both lists that have the same name, by name. */
function inBoth(
  a: readonly BundleDataset[],
  b: readonly BundleDataset[],
): readonly (readonly [BundleDataset, BundleDataset])[] {
  const after = new Map(b.map((dataset) => [dataset.name, dataset]));
  const pairs = a.flatMap((before) => {
    const other = after.get(before.name);
    return other === undefined ? [] : [[before, other] as const];
  });
  return pairs.sort(([x], [y]) => compareText(x.name, y.name));
}

/** What a dataset stands for; which columns it has is compared by decisions. */
function tableOf({ datasource, table, kind, definition_digest }: BundleDataset): object {
  return { datasource, table, kind, definition_digest };
}

/** What a datasource stands for; where it lies is compared by decisions. */
function endpointOf(source: BundleDatasource | undefined): object {
  const { type, config, credentials, credentials_at, schema_check } = source ?? {};
  return { type, config, credentials, credentials_at, schema_check };
}

function pairOf(
  before: BundleDatasource | undefined,
  after: BundleDatasource | undefined,
): readonly [object, object] {
  return [endpointOf(before), endpointOf(after)];
}

/** To hold longer, or for ever, widens. A moment that cannot be read is the one that makes it so. */
function directionOfExpiry(from: string | null, to: string | null): Direction | null {
  const [before, after] = [endOf(from, -Infinity), endOf(to, Infinity)];
  if (before === after) return null;
  return after > before ? 'widening' : 'narrowing';
}

function endOf(expiresAt: string | null, unreadable: number): number {
  if (expiresAt === null) return Infinity;
  const end = Date.parse(expiresAt);
  return Number.isNaN(end) ? unreadable : end;
}

/** `null` where nothing differs. */
function changeOf(
  kind: BundleChange['kind'],
  name: string | null,
  direction: Direction | null,
  from: object,
  to: object,
): BundleChange | null {
  // Most datasets did not change.
  if (JSON.stringify(from) === JSON.stringify(to)) return null;
  const [before, after] = [leavesOf(from), leavesOf(to)];
  const parts = [...new Set([...before.keys(), ...after.keys()])]
    .filter(
      (part) => canonicalise(before.get(part) ?? null) !== canonicalise(after.get(part) ?? null),
    )
    .sort(compareText);
  if (parts.length === 0) return null;
  const valuesIn = (leaves: ReadonlyMap<string, unknown>) =>
    Object.fromEntries(parts.map((part) => [part, leaves.get(part) ?? null]));
  return { kind, name, direction, from: valuesIn(before), to: valuesIn(after) };
}

/** Everything in an object that is none itself, by its path: `config.host`. */
function leavesOf(value: object, path = ''): ReadonlyMap<string, unknown> {
  const leaves = new Map<string, unknown>();
  for (const [key, inner] of Object.entries(value)) {
    const here = path === '' ? key : `${path}.${key}`;
    const isObject = typeof inner === 'object' && inner !== null && !Array.isArray(inner);
    if (!isObject) leaves.set(here, inner);
    else for (const [leaf, one] of leavesOf(inner, here)) leaves.set(leaf, one);
  }
  return leaves;
}
