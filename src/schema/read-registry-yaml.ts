import {
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml';
import type { Problem } from '../errors/index.js';
import { nearest } from '../util/levenshtein.js';
import { isCleanText } from '../util/utf8.js';
import { canonicalType } from './field-type.js';
import { isSensitivity, type RegistryDataset, type RegistryField, SENSITIVITIES } from './model.js';
import { isUsableName } from './registry-names.js';

const FIELDS_MAX = 10_000;
const TAGS_MAX = 100;
const DESCRIPTION_CHARACTERS_MAX = 4_096;

const DATASET_KEYS = ['datasource', 'description', 'gone', 'fields'] as const;
const FIELD_KEYS = [
  'type',
  'sensitivity',
  'category',
  'classification',
  'tags',
  'description',
  'gone',
] as const;

export interface RegistryYaml {
  datasets: { key: string; dataset: RegistryDataset; line: number; column: number }[];
  problems: Problem[];
  /** Whether the text is no YAML at all, so that nothing else was looked at. */
  syntax: boolean;
}

/** The options under which the registry is read and edited: every scalar is text, whatever it looks like. */
export const REGISTRY_YAML = {
  schema: 'failsafe',
  version: '1.2',
  merge: false,
  uniqueKeys: true,
  prettyErrors: false,
} as const;

/** Reads a registry, or a part of it that begins `lineOffset` lines into the file, with the YAML parser. */
export function readRegistryYaml(
  text: string,
  place: { file: string; lineOffset: number },
): RegistryYaml {
  const lines = new LineCounter();
  const document = parseDocument(text, { ...REGISTRY_YAML, lineCounter: lines });
  const problems: Problem[] = [];
  const at = (node: unknown) => {
    const offset = (node as Node | null)?.range?.[0] ?? 0;
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line) + place.lineOffset, column: Math.max(1, col) };
  };
  const report: Report = (node, code, message, suggestion) => {
    const extra = suggestion === undefined ? {} : { suggestion };
    problems.push({ file: place.file, ...at(node), code, message, ...extra });
  };
  let syntax = false;
  for (const error of document.errors) {
    const { line, col } = lines.linePos(error.pos[0]);
    const position = { line: Math.max(1, line) + place.lineOffset, column: Math.max(1, col) };
    const duplicate = error.code === 'DUPLICATE_KEY';
    syntax ||= !duplicate;
    problems.push({
      file: place.file,
      ...position,
      code: duplicate ? 'duplicate_key' : 'yaml_syntax',
      message: duplicate
        ? 'This key stands twice in the same mapping.'
        : `This is not valid YAML: ${error.message.split('\n')[0]?.replace(/[.:]*$/, '')}.`,
    });
  }
  refuseMachinery(document, report);
  if (problems.length > 0) return { datasets: [], problems, syntax };
  const root = document.contents;
  if (root === null || (isScalar(root) && root.value === '')) {
    return { datasets: [], problems, syntax };
  }
  if (!isMap(root)) {
    report(root, 'wrong_type', 'The registry must be a mapping of dataset names to datasets.');
    return { datasets: [], problems, syntax };
  }
  const datasets: RegistryYaml['datasets'] = [];
  for (const pair of root.items) {
    if (isFormatVersion(pair, report)) continue;
    const key = readName(pair, 'dataset', report);
    const dataset = readDataset(pair, key ?? '', report);
    if (key !== null && dataset !== null) datasets.push({ key, dataset, ...at(pair.key) });
  }
  return { datasets, problems, syntax };
}

type Report = (node: unknown, code: string, message: string, suggestion?: string) => void;

/** Anchors, aliases and tags: nothing a registry needs, and an edit of one place would change another. */
function refuseMachinery(document: ReturnType<typeof parseDocument>, report: Report): void {
  const refused = 'in a registry; write the value out.';
  visit(document, {
    Alias(_key, node) {
      report(node, 'yaml_alias', `An alias is not accepted ${refused}`);
    },
    Node(_key, node) {
      if (node.tag !== undefined && !/^tag:yaml\.org,2002:(?:map|seq|str)$/.test(node.tag)) {
        report(node, 'yaml_tag', `A tag is not accepted ${refused}`);
      } else if ('anchor' in node && node.anchor) {
        report(node, 'yaml_alias', `An anchor is not accepted ${refused}`);
      }
    },
  });
}

/** The format's own version may stand beside the datasets; a dataset of that name is a mapping, so they differ. */
function isFormatVersion(pair: Pair, report: Report): boolean {
  if (!isScalar(pair.key) || pair.key.value !== 'format_version' || !isScalar(pair.value)) {
    return false;
  }
  if (pair.value.value !== 'v1') {
    report(pair.value, 'wrong_value', 'This vkit reads the registry format v1 alone.');
  }
  return true;
}

function readName(pair: Pair, what: 'dataset' | 'field', report: Report): string | null {
  const name = isScalar(pair.key) ? pair.key.value : null;
  if (typeof name !== 'string' || name === '') {
    report(pair.key, 'wrong_type', `The name of a ${what} must be text.`);
    return null;
  }
  if (!isUsableName(name)) {
    report(pair.key, 'reserved_name', `This name cannot be used for a ${what}.`);
    return null;
  }
  return name;
}

function readDataset(pair: Pair, key: string, report: Report): RegistryDataset | null {
  const of = `of dataset "${key}"`;
  const node = pair.value;
  if (!isMap(node)) {
    report(
      pair.key,
      'wrong_type',
      `The dataset "${key}" must be a mapping with datasource, fields.`,
    );
    return null;
  }
  const values = readKeys(node, DATASET_KEYS, of, report);
  const datasource = readText(values.get('datasource'), `The datasource ${of}`, report);
  if (!values.has('datasource')) {
    report(pair.key, 'missing_key', `The key "datasource" is missing in dataset "${key}".`);
  }
  const description = readText(values.get('description'), `The description ${of}`, report);
  const gone = readFlag(values.get('gone'), `"gone" ${of}`, report);
  const fields = new Map<string, RegistryField>();
  const list = values.get('fields');
  if (!values.has('fields')) {
    report(pair.key, 'missing_key', `The key "fields" is missing in dataset "${key}".`);
  } else if (!isMap(list)) {
    report(
      list ?? pair.key,
      'wrong_type',
      `The fields ${of} must be a mapping of names to fields.`,
    );
  } else if (list.items.length > FIELDS_MAX) {
    report(list, 'limit_exceeded', `The dataset "${key}" has more than ${FIELDS_MAX} fields.`);
  } else {
    for (const item of list.items) {
      const name = readName(item, 'field', report);
      const field = readField(item, `${key}.${name ?? ''}`, report);
      if (name !== null && field !== null) fields.set(name, field);
    }
  }
  if (datasource === undefined) return null;
  return {
    datasource,
    ...(description === undefined ? {} : { description }),
    ...(gone ? { gone } : {}),
    fields,
  };
}

function readField(pair: Pair, name: string, report: Report): RegistryField | null {
  const of = `of field "${name}"`;
  if (!isMap(pair.value)) {
    const message = `The field "${name}" must be a mapping with type, sensitivity and category.`;
    report(
      pair.key,
      'wrong_type',
      message,
      'Write {type: text, sensitivity: low, category: internal}.',
    );
    return null;
  }
  const values = readKeys(pair.value, FIELD_KEYS, of, report);
  const type = readText(values.get('type'), `The type ${of}`, report);
  if (!values.has('type')) {
    report(pair.key, 'missing_key', `The key "type" is missing in field "${name}".`);
  }
  // What is not said counts as the strictest: forgetting a line must not open a column.
  const sensitivity = values.has('sensitivity')
    ? readText(values.get('sensitivity'), `The sensitivity ${of}`, report)?.toLowerCase()
    : 'high';
  if (sensitivity !== undefined && !isSensitivity(sensitivity)) {
    const near = nearest(sensitivity, SENSITIVITIES);
    const message = `The sensitivity ${of} must be one of ${SENSITIVITIES.join(', ')}.`;
    const suggestion = near === undefined ? undefined : `Did you mean "${near}"?`;
    report(values.get('sensitivity'), 'wrong_value', message, suggestion);
  }
  const category = values.has('category')
    ? readText(values.get('category'), `The category ${of}`, report)?.toLowerCase()
    : 'internal';
  if (category !== undefined && !/^[a-z][a-z0-9_-]{0,63}$/.test(category)) {
    const message = `The category ${of} must be a word: pii, financial, phi, pci, secrets, internal, or your own.`;
    report(values.get('category'), 'wrong_value', message);
  }
  const classification = readText(values.get('classification'), `The classification ${of}`, report);
  const description = readText(values.get('description'), `The description ${of}`, report);
  const tags = readTags(values.get('tags'), of, report);
  const gone = readFlag(values.get('gone'), `"gone" ${of}`, report);
  if (type === undefined || category === undefined || !isSensitivity(sensitivity)) return null;
  return {
    type: canonicalType(type),
    sensitivity,
    category,
    ...(classification === undefined ? {} : { classification }),
    tags,
    ...(description === undefined ? {} : { description }),
    ...(gone ? { gone } : {}),
  };
}

/** The values of a mapping by its known keys; `:type` of older files means `type`. */
function readKeys(
  node: YAMLMap,
  known: readonly string[],
  of: string,
  report: Report,
): Map<string, unknown> {
  const values = new Map<string, unknown>();
  for (const pair of node.items) {
    const written = isScalar(pair.key) ? String(pair.key.value) : '';
    const key = withoutColon(written);
    if (!known.includes(key)) {
      const near = nearest(key, known);
      const suggestion =
        near === undefined ? `Known keys: ${known.join(', ')}.` : `Did you mean "${near}"?`;
      report(pair.key, 'unknown_key', `The key "${written}" ${of} is not known.`, suggestion);
    } else if (values.has(key)) {
      report(pair.key, 'duplicate_key', `The key "${key}" ${of} stands twice.`);
    } else values.set(key, pair.value ?? pair.key);
  }
  return values;
}

function readText(node: unknown, what: string, report: Report): string | undefined {
  if (node === undefined) return undefined;
  const value = isScalar(node) ? node.value : null;
  if (typeof value !== 'string' || value === '' || !isCleanText(value)) {
    report(node, 'wrong_type', `${what} must be text.`);
    return undefined;
  }
  if (value.length > DESCRIPTION_CHARACTERS_MAX) {
    report(
      node,
      'limit_exceeded',
      `${what} is longer than ${DESCRIPTION_CHARACTERS_MAX} characters.`,
    );
    return undefined;
  }
  return withoutColon(value);
}

function readTags(node: unknown, of: string, report: Report): string[] {
  if (node === undefined) return [];
  if (!isSeq(node) || node.items.length > TAGS_MAX) {
    report(node, 'wrong_type', `The tags ${of} must be a list of at most ${TAGS_MAX} words.`);
    return [];
  }
  return node.items.flatMap((item) => readText(item, `A tag ${of}`, report) ?? []);
}

function readFlag(node: unknown, what: string, report: Report): boolean {
  if (node === undefined) return false;
  const value = isScalar(node) ? node.value : null;
  if (value === 'true' || value === 'false') return value === 'true';
  report(node, 'wrong_type', `${what} must be true or false.`);
  return false;
}

/** `:medium` of files that Ruby wrote is `medium`. */
function withoutColon(text: string): string {
  return /^:[A-Za-z_]/.test(text) ? text.slice(1) : text;
}
