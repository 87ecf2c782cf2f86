import type { DriftFinding, DriftKind } from '../schema/drift.js';
import type { BundleDataset, BundleField } from './model.js';

/** A difference in the words of a drift report; `tags_changed` is what people write, which no database knows. */
export interface RegistryDifference extends Omit<DriftFinding, 'kind'> {
  kind: DriftKind | 'tags_changed';
}

/**
 * What the second of two compiled registries has otherwise than the first, by dataset: what is about the dataset before its
 * fields, these by name. Pure. Object ids of a database are no difference: another copy of it has others.
 */
export function compareRegistries(
  before: readonly BundleDataset[],
  after: readonly BundleDataset[],
): RegistryDifference[] {
  const [former, present] = [byName(before), byName(after)];
  const names = [...new Set([...former.keys(), ...present.keys()])].sort();
  return names.flatMap((name) => compareDataset(former.get(name), present.get(name)));
}

function byName<T extends { name: string }>(items: readonly T[]): Map<string, T> {
  return new Map(items.map((item) => [item.name, item]));
}

function compareDataset(
  before: BundleDataset | undefined,
  after: BundleDataset | undefined,
): RegistryDifference[] {
  if (after === undefined)
    return before === undefined ? [] : [{ kind: 'dataset_removed', ...about(before) }];
  const fields = fieldDifferences(before, after);
  if (before === undefined) return [{ kind: 'dataset_added', ...about(after) }, ...fields];
  const own: RegistryDifference[] = [];
  for (const [kind, text] of TEXTS) {
    const [from, to] = [text(before), text(after)];
    if (from !== to) own.push({ kind, ...about(after), from, to });
  }
  if (before.kind === after.kind && before.definition_digest !== after.definition_digest) {
    const [from, to] = [after.kind ?? 'table', 'another definition'];
    own.push({ kind: 'redefined', ...about(after), from, to });
  }
  return [...own, ...fields];
}

function about({ datasource, name }: BundleDataset): { datasource: string; dataset: string } {
  return { datasource, dataset: name };
}

type TextOf<T> = readonly (readonly [RegistryDifference['kind'], (item: T) => string])[];

const TEXTS: TextOf<BundleDataset> = [
  ['redefined', ({ datasource }) => `datasource ${datasource}`],
  ['renamed', ({ table: { schema, name } }) => (schema === '' ? name : `${schema}.${name}`)],
  ['redefined', ({ kind }) => kind ?? 'table'],
  [
    'keys_changed',
    ({ primary_key: primary = [], unique_keys: unique = [] }) =>
      [primary, ...unique].map((columns) => `(${columns.join(', ')})`).join(', '),
  ],
];

function fieldDifferences(
  before: BundleDataset | undefined,
  after: BundleDataset,
): RegistryDifference[] {
  const [former, present] = [byName(before?.fields ?? []), byName(after.fields)];
  const names = [...new Set([...former.keys(), ...present.keys()])].sort();
  return names.flatMap((name): RegistryDifference[] => {
    const [old, now] = [former.get(name), present.get(name)];
    const at = { ...about(after), field: name };
    if (now === undefined)
      return old === undefined ? [] : [{ kind: 'field_removed', ...at, type: old.type }];
    const facts = described(now);
    if (old === undefined) return [{ kind: 'field_added', ...at, ...facts }];
    return FIELD_TEXTS.flatMap(([kind, text]) => {
      const [from, to] = [text(old), text(now)];
      // A bundle of another tool does not say everything.
      return from === to || from === '' || to === '' ? [] : [{ kind, ...at, from, to, ...facts }];
    });
  });
}

const FIELD_TEXTS: TextOf<BundleField> = [
  ['type_changed', ({ type }) => type],
  [
    'nullability_changed',
    ({ nullable }) => (nullable === undefined ? '' : nullable ? 'nullable' : 'not null'),
  ],
  ['moved', ({ position }) => (position === undefined ? '' : `position ${position}`)],
  ['tags_changed', tagsText],
];

function tagsText({ sensitivity, category = 'internal', classification, tags = [] }: BundleField) {
  const words = [sensitivity, category, ...(classification === undefined ? [] : [classification])];
  return [...words, ...tags.map((tag) => `#${tag}`)].join(' ');
}

function described({ type, sensitivity, category, classification, tags }: BundleField) {
  return {
    type,
    sensitivity,
    ...(category === undefined ? {} : { category }),
    ...(classification === undefined ? {} : { classification }),
    ...(tags === undefined ? {} : { tags }),
  };
}
