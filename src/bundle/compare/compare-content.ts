import { compareText } from '../../policy/policy-set.js';
import { canonicalise } from '../canonicalise.js';
import type { Bundle, BundleDataset } from '../model.js';
import type { BundleComparison, ContentDifference, FieldName } from './model.js';

/** What of the content of two bundles differs, decisions aside: names by whether they were added, removed or changed. */
export function compareContent(
  a: Bundle,
  b: Bundle,
): Pick<
  BundleComparison,
  'policies' | 'datasets' | 'fields' | 'datasources' | 'packs' | 'default_action' | 'clearances'
> {
  const [from, to] = [a.bundle, b.bundle];
  const levels = { from: from.clearances ?? [], to: to.clearances ?? [] };
  const withoutFields = ({ fields: _fields, ...dataset }: BundleDataset) => dataset;
  return {
    policies: differenceOf(keyed(a.policies, 'id'), keyed(b.policies, 'id')),
    datasets: differenceOf(
      keyed(a.registry.datasets.map(withoutFields), 'name'),
      keyed(b.registry.datasets.map(withoutFields), 'name'),
    ),
    fields: compareFields(a.registry.datasets, b.registry.datasets),
    datasources: differenceOf(
      keyed(a.registry.datasources, 'name'),
      keyed(b.registry.datasources, 'name'),
    ),
    packs: differenceOf(keyed(from.installed_packs, 'name'), keyed(to.installed_packs, 'name')),
    default_action:
      from.default_action === to.default_action
        ? null
        : { from: from.default_action, to: to.default_action },
    clearances: isSame(levels.from, levels.to) ? null : levels,
  };
}

function compareFields(
  a: readonly BundleDataset[],
  b: readonly BundleDataset[],
): { added: FieldName[]; removed: FieldName[]; changed: FieldName[] } {
  const fields = {
    added: [] as FieldName[],
    removed: [] as FieldName[],
    changed: [] as FieldName[],
  };
  const after = keyed(b, 'name');
  for (const { name: dataset, fields: before } of [...a].sort((x, y) =>
    compareText(x.name, y.name),
  )) {
    const other = after.get(dataset);
    if (other === undefined) continue;
    const difference = differenceOf(keyed(before, 'name'), keyed(other.fields, 'name'));
    for (const kind of ['added', 'removed', 'changed'] as const) {
      fields[kind].push(...difference[kind].map((field) => ({ dataset, field })));
    }
  }
  return fields;
}

function differenceOf(
  a: ReadonlyMap<string, object>,
  b: ReadonlyMap<string, object>,
): ContentDifference {
  const names = [...a.keys()].sort(compareText);
  return {
    added: [...b.keys()].filter((name) => !a.has(name)).sort(compareText),
    removed: names.filter((name) => !b.has(name)),
    changed: names.filter((name) => b.has(name) && !isSame(a.get(name), b.get(name))),
  };
}

function keyed<K extends string, T extends Readonly<Record<K, string>>>(
  items: readonly T[],
  key: K,
): ReadonlyMap<string, T> {
  return new Map(items.map((item) => [item[key], item]));
}

/** By canonical form, unless they are the same text as they are: most things did not change. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b) || canonicalise(a) === canonicalise(b);
}
