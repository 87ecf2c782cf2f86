import { checkContextNames } from './check-context-names.js';
import { escapePointer } from './check-form.js';
import { compileMatch, listOf, tagsOf } from './compile-match.js';
import { type DraftFile, type Finding, formsOfKey, type ValidationContext } from './finding.js';
import { compileGlob, isGlob } from './glob.js';
import type { FieldMatch } from './model.js';
import { type Named, unknownName } from './unknown-name.js';

/**
 * What a policy names and what exists nowhere: datasources, datasets, fields, categories, tags, roles, environments and
 * regions. An exact name is an error; a glob, a category, a tag, an environment, a region, or a field of no particular
 * dataset a warning, since a pack is written before the project it serves.
 */
export function checkNames(file: DraftFile, context: ValidationContext): Finding[] {
  return [
    ...checkDatasources(file, context),
    ...checkDatasets(file, context),
    ...checkFields(file, context),
    ...checkTags(file, context),
    ...checkContextNames(file, context),
  ];
}

function checkDatasources(file: DraftFile, { datasources }: ValidationContext): Finding[] {
  return namesAt(file.policy.match.datasource, '/match/datasource').flatMap((named) => {
    if (datasources.some(compileGlob(named.name))) return [];
    return [unknownName(file, named, 'datasource', datasources, isGlob(named.name))];
  });
}

function checkDatasets(file: DraftFile, { registry }: ValidationContext): Finding[] {
  const forms = [...registry].flatMap(([key, dataset]) => formsOfKey(key, dataset));
  return namesAt(file.policy.match.dataset, '/match/dataset').flatMap((named) => {
    if (forms.some(compileGlob(named.name))) return [];
    return [unknownName(file, named, 'dataset', forms, isGlob(named.name))];
  });
}

function checkFields(file: DraftFile, { registry }: ValidationContext): Finding[] {
  const { policy } = file;
  const { fields: _fields, ...match } = policy.match;
  const { datasetFailure } = compileMatch(match);
  const names = new Set<string>();
  for (const [key, dataset] of registry) {
    const target = { datasource: dataset.datasource, forms: formsOfKey(key, dataset) };
    if (datasetFailure(target) !== null) continue;
    for (const name of dataset.fields.keys()) names.add(name.toLowerCase());
  }
  // Where no dataset matches there is a finding on that already.
  if (names.size === 0) return [];
  const datasets = policy.match.dataset === undefined ? [] : listOf(policy.match.dataset);
  const exact = datasets.length > 0 && !datasets.some(isGlob);
  const named = [
    ...namesAt(policy.match.fields?.any, '/match/fields/any'),
    ...namesAt(policy.match.fields?.all, '/match/fields/all'),
    ...namesAt(policy.masking?.except, '/action/mask_except'),
    ...Object.keys(policy.masking?.rules ?? {}).map((name) => ({
      name,
      pointer: `/masking/rules/${escapePointer(name)}`,
    })),
  ];
  return named
    .filter(({ name }) => !names.has(name.toLowerCase()))
    .map((entry) => unknownName(file, entry, 'field', [...names], !exact));
}

function checkTags(file: DraftFile, { registry }: ValidationContext): Finding[] {
  const fields: FieldMatch = file.policy.match.fields ?? {};
  const categories = new Set<string>();
  const tags = new Set<string>();
  for (const dataset of registry.values()) {
    for (const [name, field] of dataset.fields) {
      categories.add(field.category.toLowerCase());
      for (const tag of tagsOf({ ...field, name })) tags.add(tag.toLowerCase());
    }
  }
  const check = (named: Named[], what: string, known: ReadonlySet<string>) =>
    named
      .filter(({ name }) => !known.has(name.toLowerCase()))
      .map((entry) => unknownName(file, entry, what, [...known], true));
  return [
    ...check(namesAt(fields.category, '/match/fields/category'), 'category', categories),
    ...check(namesAt(fields.contains, '/match/fields/contains'), 'tag', tags),
  ];
}

function namesAt(value: string | readonly string[] | undefined, pointer: string): Named[] {
  if (value === undefined) return [];
  if (typeof value === 'string') return [{ name: value, pointer }];
  return value.map((name, index) => ({ name, pointer: `${pointer}/${index}` }));
}
