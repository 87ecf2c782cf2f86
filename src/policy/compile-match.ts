import type { BundleField } from '../bundle/model.js';
import { foldName } from '../util/fold-name.js';
import { compileGlob } from './glob.js';
import type { FieldMatch, PolicyMatch } from './model.js';

/** What a policy can match of a dataset. */
export interface MatchTarget {
  datasource: string;
  /** All names the dataset goes by, see `datasetForms`. */
  forms: readonly string[];
}

/** What a policy can match of a field. */
export type MatchField = Pick<BundleField, 'name' | 'sensitivity' | 'category' | 'tags'>;

/** The part of `match` that does not hold, as `match.<key>: …`, or `null` where all of it does. */
export type Failure = string | null;

export interface CompiledMatch {
  datasetFailure(target: MatchTarget): Failure;
  /** Whether the policy acts on fields alone; one that does not also matches the dataset itself. */
  hasFields: boolean;
  /** The part of `match.fields` that can be told of the field by itself; `fields.all` also needs `touchesAll`. */
  fieldFailure(field: MatchField): Failure;
  /** The names of `fields.all`, in lower case, all of which the request must touch in one dataset. */
  all: readonly string[] | null;
}

/**
 * The names a dataset goes by in a policy: its registry key, and the key without the datasource, without the schema and
 * without both, so that a prefix never switches a policy off.
 */
export function datasetForms(key: string, datasource: string, schema: string): readonly string[] {
  const bare = withoutPrefix(key, `${datasource}.`);
  const table = schema === '' ? bare : withoutPrefix(bare, `${schema}.`);
  const forms = [key, bare, table];
  if (bare !== key) forms.push(`${datasource}.${table}`);
  return [...new Set(forms)];
}

/** Compiles a `match`: the keys given are ANDed, an empty one matches every dataset. */
export function compileMatch(match: PolicyMatch): CompiledMatch {
  const datasource = compileNames(match.datasource);
  const dataset = compileNames(match.dataset);
  const fields = match.fields ?? {};
  return {
    datasetFailure: (target) => {
      if (datasource && !datasource(target.datasource)) {
        return `match.datasource: is ${target.datasource}, wanted ${wordsOf(match.datasource ?? [])}`;
      }
      if (dataset && !target.forms.some(dataset)) {
        return `match.dataset: is ${target.forms[0]}, wanted ${wordsOf(match.dataset ?? [])}`;
      }
      return null;
    },
    hasFields: Object.values(fields).some((value) => value !== undefined),
    fieldFailure: compileFields(fields),
    all: fields.all ? fields.all.map((name) => foldName(name)) : null,
  };
}

function compileNames(names: string | readonly string[] | undefined) {
  if (names === undefined) return null;
  const globs = listOf(names).map(compileGlob);
  return (name: string) => globs.some((matches) => matches(name));
}

/** A key of `match.fields`, whether a field has it, and what to say of one that has not. */
type FieldCheck = [
  key: string,
  holds: (field: MatchField) => boolean,
  because: (field: MatchField) => string,
];

function wordsOf(wanted: string | readonly string[]): string {
  return listOf<string>(wanted).join(', ');
}

function compileFields(match: FieldMatch): (field: MatchField) => Failure {
  const checks: FieldCheck[] = [];
  const { sensitivity, category, contains, any, all } = match;
  if (sensitivity !== undefined) {
    checks.push([
      'sensitivity',
      (field) => includes(sensitivity, field.sensitivity),
      ({ name, sensitivity: is }) => `${name} is ${is}, wanted ${wordsOf(sensitivity)}`,
    ]);
  }
  if (category !== undefined) {
    checks.push([
      'category',
      (field) => includes(category, field.category),
      ({ name, category: is = 'without one' }) => `${name} is ${is}, wanted ${wordsOf(category)}`,
    ]);
  }
  if (contains !== undefined) {
    checks.push([
      'contains',
      (field) => tagsOf(field).some((tag) => includes(contains, tag)),
      (field) =>
        `${field.name} has ${tagsOf(field).join(', ') || 'no tag'}, wanted ${wordsOf(contains)}`,
    ]);
  }
  const isNamed = (names: readonly string[]): [FieldCheck[1], FieldCheck[2]] => [
    (field) => includes(names, field.name),
    ({ name }) => `${name} is not of ${wordsOf(names)}`,
  ];
  if (any !== undefined) checks.push(['any', ...isNamed(any)]);
  if (all !== undefined) checks.push(['all', ...isNamed(all)]);
  return (field) => {
    const failed = checks.find(([, holds]) => !holds(field));
    return failed ? `match.fields.${failed[0]}: ${failed[2](field)}` : null;
  };
}

/** The tags of a field; its category counts as one. */
export function tagsOf(field: MatchField): readonly string[] {
  const tags = field.tags ?? [];
  return field.category === undefined ? tags : [...tags, field.category];
}

export function listOf<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}

function includes(wanted: string | readonly string[], value: string | undefined): boolean {
  if (value === undefined) return false;
  const lower = foldName(value);
  return listOf(wanted).some((entry) => foldName(entry) === lower);
}

function withoutPrefix(name: string, prefix: string): string {
  const wanted = foldName(prefix);
  // A prefix may be longer or shorter than the same one in another form, but it ends with a dot.
  for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
    const rest = name.slice(dot + 1);
    if (rest !== '' && foldName(name.slice(0, dot + 1)) === wanted) return rest;
  }
  return name;
}
