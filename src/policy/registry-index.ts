import type { Registry, RegistryField } from '../schema/model.js';
import { foldName } from '../util/fold-name.js';
import { lazily } from '../util/lazily.js';
import { listOf, type MatchTarget, tagsOf } from './compile-match.js';
import type { CompiledPolicy } from './compiled-policy.js';
import { formsOfKey } from './finding.js';
import { compileGlob, isGlob } from './glob.js';
import type { PolicyMatch } from './model.js';

/** A dataset of the baseline, with the names it goes by. */
export interface IndexedDataset extends MatchTarget {
  key: string;
  fields: ReadonlyMap<string, RegistryField>;
  /** The same fields with their names. */
  described(): readonly DescribedField[];
}

type DescribedField = RegistryField & { name: string };

/** A field of the baseline. */
export interface IndexedField {
  dataset: IndexedDataset;
  field: DescribedField;
}

/** What the checks of policies ask of a baseline, so that none of them looks at all of it for every policy. */
export interface RegistryIndex {
  datasets: readonly IndexedDataset[];
  /** Every name that a dataset goes by. */
  forms: readonly string[];
  /** In lower case. */
  fieldNames: ReadonlySet<string>;
  tags: ReadonlySet<string>;
  categories: ReadonlySet<string>;
  /** Whether a name or glob is one of a dataset. */
  hasDataset(name: string): boolean;
  /** The datasets that the names of a `match` mean, whatever its fields. */
  datasetsOf(match: PolicyMatch): readonly IndexedDataset[];
  /** The fields that a policy acts on; `fields.all` as if all of them were touched. */
  fieldsOf(compiled: CompiledPolicy): Iterable<IndexedField>;
}

export function indexRegistry(registry: Registry): RegistryIndex {
  const describe = fieldDescriber();
  const datasets = [...registry].map(
    ([key, dataset]): IndexedDataset => ({
      key,
      datasource: dataset.datasource,
      forms: formsOfKey(key, dataset),
      fields: dataset.fields,
      described: lazily(() => [...dataset.fields].map(([name, field]) => describe(name, field))),
    }),
  );
  const byForm = groupBy(datasets, ({ forms }) => forms.map((form) => foldName(form)));
  const vocabulary = lazily(() => vocabularyOf(datasets));
  const lookUp = lazily(() => fieldLookUp(datasets));
  const ofGlob = new Map<string, readonly IndexedDataset[]>();
  const named = (name: string): readonly IndexedDataset[] => {
    const lower = foldName(name);
    if (!isGlob(lower)) return byForm.get(lower) ?? [];
    const known = ofGlob.get(lower) ?? datasetsLike(lower, datasets);
    ofGlob.set(lower, known);
    return known;
  };
  const datasetsOf = ({ dataset, datasource }: PolicyMatch): readonly IndexedDataset[] => {
    const found =
      dataset === undefined
        ? datasets
        : [...new Set(listOf<string>(dataset).flatMap((name) => named(name)))];
    if (datasource === undefined) return found;
    const globs = listOf<string>(datasource).map(compileGlob);
    return found.filter((one) => globs.some((matches) => matches(one.datasource)));
  };
  return {
    datasets,
    get forms() {
      return vocabulary().forms;
    },
    get fieldNames() {
      return vocabulary().fieldNames;
    },
    get tags() {
      return vocabulary().tags;
    },
    get categories() {
      return vocabulary().categories;
    },
    hasDataset: (name) => named(name).length > 0,
    datasetsOf,
    fieldsOf: (compiled) => {
      const { dataset, datasource } = compiled.policy.match;
      const isEverywhere = dataset === undefined && datasource === undefined;
      return isEverywhere
        ? lookUp()(compiled)
        : fieldsWithin(datasetsOf(compiled.policy.match), compiled);
    },
  };
}

function datasetsLike(glob: string, datasets: readonly IndexedDataset[]): IndexedDataset[] {
  const matches = compileGlob(glob);
  return datasets.filter(({ forms }) => forms.some(matches));
}

interface Vocabulary {
  forms: readonly string[];
  fieldNames: ReadonlySet<string>;
  tags: ReadonlySet<string>;
  categories: ReadonlySet<string>;
}

function vocabularyOf(datasets: readonly IndexedDataset[]): Vocabulary {
  const fieldNames = new Set<string>();
  const tags = new Set<string>();
  const categories = new Set<string>();
  for (const { fields } of datasets) {
    for (const [name, field] of fields) {
      fieldNames.add(foldName(name));
      categories.add(foldName(field.category));
      tags.add(foldName(field.category));
      for (const tag of field.tags) tags.add(foldName(tag));
    }
  }
  return { forms: datasets.flatMap(({ forms }) => forms), fieldNames, tags, categories };
}

function* fieldsWithin(
  datasets: readonly IndexedDataset[],
  compiled: CompiledPolicy,
): Generator<IndexedField> {
  for (const dataset of datasets) {
    for (const field of dataset.described()) if (actsOn(compiled, field)) yield { dataset, field };
  }
}

/** Fields that were read as one object, and have one name, stay one object. */
function fieldDescriber(): (name: string, field: RegistryField) => DescribedField {
  const known = new Map<RegistryField, Map<string, DescribedField>>();
  return (name, field) => {
    let named = known.get(field);
    if (named === undefined) {
      named = new Map();
      known.set(field, named);
    }
    const before = named.get(name);
    if (before !== undefined) return before;
    const { type, sensitivity, category, classification, tags } = field;
    const made: DescribedField = { name, type, sensitivity, category, tags };
    if (classification !== undefined) made.classification = classification;
    named.set(name, made);
    return made;
  };
}

function actsOn({ match, excepts }: CompiledPolicy, field: DescribedField): boolean {
  return match.fieldFailure(field) === null && !excepts(field.name);
}

/** Fields by the narrowest key of a policy's `match.fields`. */
function fieldLookUp(
  datasets: readonly IndexedDataset[],
): (compiled: CompiledPolicy) => Iterable<IndexedField> {
  const all = datasets.flatMap((dataset) =>
    dataset.described().map((field): IndexedField => ({ dataset, field })),
  );
  const lower = (values: readonly string[]) => values.map((value) => foldName(value));
  const byName = groupBy(all, ({ field }) => lower([field.name]));
  const byTag = groupBy(all, ({ field }) => [...new Set(lower(tagsOf(field)))]);
  const byCategory = groupBy(all, ({ field }) => lower([field.category]));
  const bySensitivity = groupBy(all, ({ field }) => [field.sensitivity]);
  return (compiled) => {
    const fields = compiled.policy.match.fields ?? {};
    const { any, all: allOf, contains, category, sensitivity } = fields;
    const under = (groups: ReadonlyMap<string, IndexedField[]>, keys: string | readonly string[]) =>
      lower(listOf<string>(keys)).flatMap((key) => groups.get(key) ?? []);
    const found =
      any !== undefined || allOf !== undefined
        ? under(byName, any ?? allOf ?? [])
        : contains !== undefined
          ? under(byTag, contains)
          : category !== undefined
            ? under(byCategory, category)
            : sensitivity !== undefined
              ? under(bySensitivity, sensitivity)
              : all;
    return onlyActedOn(found, compiled);
  };
}

function* onlyActedOn(
  fields: readonly IndexedField[],
  compiled: CompiledPolicy,
): Generator<IndexedField> {
  for (const one of fields) if (actsOn(compiled, one.field)) yield one;
}

function groupBy<T>(
  values: readonly T[],
  keysOf: (value: T) => readonly string[],
): ReadonlyMap<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    for (const key of keysOf(value)) {
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [value]);
      else group.push(value);
    }
  }
  return groups;
}
