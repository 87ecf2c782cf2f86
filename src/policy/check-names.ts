import { foldName } from '../util/fold-name.js';
import { checkContextNames } from './check-context-names.js';
import { escapePointer } from './check-form.js';
import { listOf } from './compile-match.js';
import type { DraftFile, Finding, ValidationContext } from './finding.js';
import { compileGlob, isGlob } from './glob.js';
import type { FieldMatch } from './model.js';
import type { IndexedDataset, RegistryIndex } from './registry-index.js';
import { type Named, unknownName } from './unknown-name.js';

/**
 * What a policy names and what exists nowhere: datasources, datasets, fields, categories, tags, roles, environments and
 * regions. An exact name is an error; a glob, a category, a tag, an environment, a region, or a field of no particular
 * dataset a warning, since a pack is written before the project it serves.
 */
export function checkNames(
  file: DraftFile,
  context: ValidationContext,
  index: RegistryIndex,
): Finding[] {
  return [
    ...checkDatasources(file, context),
    ...checkDatasets(file, index),
    ...checkFields(file, index),
    ...checkTags(file, index),
    ...checkContextNames(file, context),
  ];
}

function checkDatasources(file: DraftFile, { datasources }: ValidationContext): Finding[] {
  return namesAt(file.policy.match.datasource, '/match/datasource').flatMap((named) => {
    if (datasources.some(compileGlob(named.name))) return [];
    return [unknownName(file, named, 'datasource', datasources, isGlob(named.name))];
  });
}

function checkDatasets(file: DraftFile, index: RegistryIndex): Finding[] {
  return namesAt(file.policy.match.dataset, '/match/dataset').flatMap((named) => {
    if (index.hasDataset(named.name)) return [];
    return [unknownName(file, named, 'dataset', index.forms, isGlob(named.name))];
  });
}

function checkFields(file: DraftFile, index: RegistryIndex): Finding[] {
  const { policy } = file;
  const named = fieldsNamed(policy);
  if (named.length === 0) return [];
  const { dataset, datasource } = policy.match;
  const isEverywhere = dataset === undefined && datasource === undefined;
  const names = isEverywhere ? index.fieldNames : namesWithin(index.datasetsOf(policy.match));
  // Where no dataset matches there is a finding on that already.
  if (names.size === 0) return [];
  const datasets = dataset === undefined ? [] : listOf<string>(dataset);
  const exact = datasets.length > 0 && !datasets.some(isGlob);
  return named
    .filter(({ name }) => !names.has(foldName(name)))
    .map((entry) => unknownName(file, entry, 'field', [...names], !exact));
}

/** Every field that a policy writes by its name. */
export function fieldsNamed({ match, masking }: DraftFile['policy']): Named[] {
  return [
    ...namesAt(match.fields?.any, '/match/fields/any'),
    ...namesAt(match.fields?.all, '/match/fields/all'),
    ...namesAt(masking?.except, '/action/mask_except'),
    ...Object.keys(masking?.rules ?? {}).map((name) => ({
      name,
      pointer: `/masking/rules/${escapePointer(name)}`,
    })),
  ];
}

function namesWithin(datasets: readonly IndexedDataset[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { fields } of datasets) {
    for (const name of fields.keys()) names.add(foldName(name));
  }
  return names;
}

function checkTags(file: DraftFile, { categories, tags }: RegistryIndex): Finding[] {
  const fields: FieldMatch = file.policy.match.fields ?? {};
  const check = (named: Named[], what: string, known: ReadonlySet<string>) =>
    named
      .filter(({ name }) => !known.has(foldName(name)))
      .map((entry) => unknownName(file, entry, what, [...known], true));
  return [
    ...check(namesAt(fields.category, '/match/fields/category'), 'category', categories),
    ...check(namesAt(fields.contains, '/match/fields/contains'), 'tag', tags),
  ];
}

/** The names of a value of a policy, each with its place. */
export function namesAt(value: string | readonly string[] | undefined, pointer: string): Named[] {
  if (value === undefined) return [];
  if (typeof value === 'string') return [{ name: value, pointer }];
  return value.map((name, index) => ({ name, pointer: `${pointer}/${index}` }));
}
