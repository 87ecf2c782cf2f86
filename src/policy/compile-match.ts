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

/** A field, and its name for people: with its dataset where there are several. */
export interface ShownField {
  field: MatchField;
  shown: string;
}

/** The part of `match` that does not hold, as `match.<key>: …`, or `null` where all of it does. */
export type Failure = string | null;

export interface CompiledMatch {
  datasetFailure(target: MatchTarget): Failure;
  /** Whether the policy acts on fields alone; one that does not also matches the dataset itself. */
  hasFields: boolean;
  /** The part of `match.fields` that can be told of the field by itself; `fields.all` also needs `touchesAll`. */
  fieldFailure(field: MatchField): Failure;
  /** The same of several at once: the first part that one of them fails, and all that fail it, by the names they are shown by. */
  fieldsFailure(fields: readonly ShownField[]): Failure;
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
    ...compileFields(fields),
    all: fields.all ? fields.all.map((name) => foldName(name)) : null,
  };
}

function compileNames(names: string | readonly string[] | undefined) {
  if (names === undefined) return null;
  const globs = listOf(names).map(compileGlob);
  return (name: string) => globs.some((matches) => matches(name));
}

/** A key of `match.fields`, whether a field has it, and what to say of one that has not: what it is, and what is wanted. */
interface FieldCheck {
  key: string;
  holds: (field: MatchField) => boolean;
  state: (field: MatchField) => string;
  /** One field, and several. */
  verbs: readonly [string, string];
  wanted: string;
}

const BE = ['is', 'are'] as const;
const HAVE = ['has', 'have'] as const;

/** More fields alike are counted. */
const NAMES_MAX = 6;

function wordsOf(wanted: string | readonly string[]): string {
  return listOf<string>(wanted).join(', ');
}

function compileFields(match: FieldMatch): Pick<CompiledMatch, 'fieldFailure' | 'fieldsFailure'> {
  const checks = checksOf(match);
  return {
    fieldFailure: (field) => {
      const failed = checks.find(({ holds }) => !holds(field));
      return failed ? sentenceOf(failed, [{ field, shown: field.name }]) : null;
    },
    fieldsFailure: (fields) => {
      for (const check of checks) {
        const failing = fields.filter(({ field }) => !check.holds(field));
        if (failing.length > 0) return sentenceOf(check, failing);
      }
      return null;
    },
  };
}

function checksOf({ sensitivity, category, contains, any, all }: FieldMatch): FieldCheck[] {
  const checks: FieldCheck[] = [];
  if (sensitivity !== undefined) {
    checks.push({
      key: 'sensitivity',
      holds: (field) => includes(sensitivity, field.sensitivity),
      state: (field) => field.sensitivity,
      verbs: BE,
      wanted: `, wanted ${wordsOf(sensitivity)}`,
    });
  }
  if (category !== undefined) {
    checks.push({
      key: 'category',
      holds: (field) => includes(category, field.category),
      state: (field) => field.category ?? 'without one',
      verbs: BE,
      wanted: `, wanted ${wordsOf(category)}`,
    });
  }
  if (contains !== undefined) {
    checks.push({
      key: 'contains',
      holds: (field) => tagsOf(field).some((tag) => includes(contains, tag)),
      state: (field) => tagsOf(field).join(', ') || 'no tag',
      verbs: HAVE,
      wanted: `, wanted ${wordsOf(contains)}`,
    });
  }
  for (const [key, names] of [['any', any] as const, ['all', all] as const]) {
    if (names === undefined) continue;
    checks.push({
      key,
      holds: (field) => includes(names, field.name),
      state: () => `not of ${wordsOf(names)}`,
      verbs: BE,
      wanted: '',
    });
  }
  return checks;
}

/** `match.fields.category: id, total are internal; email is contact, wanted financial`. */
function sentenceOf({ key, state, verbs, wanted }: FieldCheck, fields: readonly ShownField[]) {
  const alike = new Map<string, string[]>();
  for (const { field, shown } of fields) {
    const what = state(field);
    const names = alike.get(what);
    if (names === undefined) alike.set(what, [shown]);
    else names.push(shown);
  }
  const words = [...alike].map(
    ([what, names]) => `${namesOf(names)} ${verbs[names.length === 1 ? 0 : 1]} ${what}`,
  );
  return `match.fields.${key}: ${words.join('; ')}${wanted}`;
}

/** Names with commas; many are cut. */
export function namesOf(names: readonly string[]): string {
  const more = names.length - NAMES_MAX;
  const shown = names.slice(0, NAMES_MAX).join(', ');
  return more > 0 ? `${shown} and ${more} more` : shown;
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
