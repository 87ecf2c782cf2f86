import type { BundleDataset, BundleField } from '../../../src/bundle/model.js';
import type { FieldMatch, Policy, Reference } from '../../../src/policy/model.js';
import { isOneOf, namesOfDataset, sameName } from './names.js';
import type { Note } from './note.js';

/** "`match`: optional; an empty match is every dataset." */
export function matchesDataset({ match }: Policy, dataset: BundleDataset, note: Note): boolean {
  const { datasource, dataset: name } = match;
  if (datasource !== undefined && !isOneOf(datasource, [dataset.datasource], 'datasource', note)) {
    return false;
  }
  if (name === undefined) return true;
  const [key = '', withoutSchema = '', withoutDatasource = '', bare = ''] = namesOfDataset(dataset);
  if (typeof name === 'string') {
    for (const [form, spelling] of Object.entries({
      key,
      'without schema': withoutSchema,
      'without datasource': withoutDatasource,
      'without both': bare,
    })) {
      if (form !== 'key' && spelling === key) continue;
      if (sameName(name, spelling)) note('name form', form, name === spelling ? 'same' : 'other');
    }
  }
  return isOneOf(name, [key, withoutSchema, withoutDatasource, bare], 'dataset', note);
}

/**
 * "A policy with `fields` acts on the fields that match", and "keys given are ANDed". `touched` is every reference of the
 * request, and the field itself.
 */
export function matchesField(
  { match: { fields }, masking }: Policy,
  dataset: BundleDataset,
  field: BundleField,
  touched: readonly Reference[],
  note: Note,
): boolean {
  // "With mask: fields that this policy does not match."
  const except = masking?.except;
  if (except !== undefined) {
    const excepted = except.some((name) => sameName(name, field.name));
    note('fields', 'mask_except', excepted ? 'no' : 'yes');
    if (excepted) return false;
  }
  if (fields === undefined) return true;
  const answers: [string, boolean][] = [];
  const { sensitivity, category, contains, any, all } = fields;
  if (sensitivity !== undefined) {
    answers.push([shape('sensitivity', sensitivity), isAmong(sensitivity, [field.sensitivity])]);
  }
  if (category !== undefined) {
    answers.push([shape('category', category), isAmong(category, listOf(field.category))]);
  }
  if (contains !== undefined) {
    const byTag = isAmong(contains, field.tags ?? []);
    const byCategory = isAmong(contains, listOf(field.category));
    if (byCategory && !byTag) note('fields', 'contains by the category alone', 'yes');
    answers.push(['contains', byTag || byCategory]);
  }
  if (any !== undefined) answers.push(['any', isAmong(any, [field.name])]);
  if (all !== undefined) {
    const here = touched.filter((one) => one.dataset === dataset.name);
    const names = [field.name, ...here.flatMap((one) => listOf(one.field ?? undefined))];
    const everyOne = all.every((wanted) => isAmong([wanted], names));
    if (isAmong(all, [field.name]) && !everyOne) note('fields', 'all, of which some', 'no');
    answers.push(['all', isAmong(all, [field.name]) && everyOne]);
  }
  for (const [key, holds] of answers) note('fields', key, holds ? 'yes' : 'no');
  const holds = answers.every(([, answer]) => answer);
  if (answers.length > 1) note('fields', 'several keys', holds ? 'yes' : 'no');
  return holds;
}

function isAmong(wanted: string | readonly string[], names: readonly string[]): boolean {
  const list = typeof wanted === 'string' ? [wanted] : wanted;
  return list.some((one) => names.some((name) => sameName(one, name)));
}

function shape(key: keyof FieldMatch, wanted: string | readonly string[]): string {
  return `${key}, ${typeof wanted === 'string' ? 'one' : 'a list'}`;
}

function listOf(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value];
}
