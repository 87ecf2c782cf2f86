import { isMap, isNode, isScalar, isSeq, type Pair, parseDocument, type YAMLMap } from 'yaml';
import type { RegistryField } from './model.js';
import { REGISTRY_YAML } from './read-registry-yaml.js';
import { fieldText, yamlScalar } from './registry-text.js';

/** Adds a field after the one named `after` (`null`: before all), at the end where there is none of that name. */
export function insertField(
  fields: YAMLMap,
  name: string,
  field: RegistryField,
  after: string | null,
): void {
  const pair = parsePair(fieldText(name, field));
  const at = after === null ? -1 : fields.items.findIndex((item) => keyText(item) === after);
  const index = after !== null && at === -1 ? fields.items.length : at + 1;
  const first = fields.items[0]?.key;
  if (index === 0 && isNode(first) && fields.commentBefore && !fields.flow) {
    // The parser gives a comment above the first field to the whole mapping; it stays with its field.
    first.commentBefore = fields.commentBefore;
    fields.commentBefore = null;
  }
  if (fields.items.length === 0) fields.flow = false;
  fields.items.splice(index, 0, pair);
}

/** Makes an entry say what `field` says, under `newName`; what it says already is not written again. */
export function changeField(
  fields: YAMLMap,
  name: string,
  newName: string,
  field: RegistryField,
): void {
  const pair = fields.items.find((item) => keyText(item) === name);
  if (pair === undefined || !isMap(pair.value)) return;
  if (newName !== name) {
    const { key } = parsePair(`${yamlScalar(newName)}: ""`);
    if (isNode(key) && isNode(pair.key)) {
      Object.assign(key, commentsOf(pair.key));
      pair.key = key;
    }
  }
  const entry: YAMLMap = pair.value;
  setText(entry, 'type', field.type);
  setText(entry, 'sensitivity', field.sensitivity, 'high');
  setText(entry, 'category', field.category, 'internal');
  if (field.classification !== undefined) setText(entry, 'classification', field.classification);
  else removeKey(entry, 'classification');
  setTags(entry, field.tags);
  setGone(entry, field.gone ?? false, 'at_the_end');
}

/** Sets or removes `gone: true`; false is what absence means. */
export function setGone(map: YAMLMap, gone: boolean, where: 'before_fields' | 'at_the_end'): void {
  removeKey(map, 'gone');
  if (!gone) return;
  const fields = map.items.findIndex((item) => plainKey(item) === 'fields');
  const at = where === 'before_fields' && fields !== -1 ? fields : map.items.length;
  map.items.splice(at, 0, parsePair('gone: true'));
}

function setText(map: YAMLMap, key: string, value: string, byDefault?: string): void {
  const pair = map.items.find((item) => plainKey(item) === key);
  if (pair === undefined) {
    if (value !== byDefault) map.items.push(parsePair(`${key}: ${yamlScalar(value)}`));
    return;
  }
  const before = isScalar(pair.value)
    ? String(pair.value.value).replace(/^:(?=[A-Za-z_])/, '')
    : '';
  const folded = key === 'sensitivity' || key === 'category' ? before.toLowerCase() : before;
  if (folded === value) return;
  replaceValue(pair, parsePair(`${key}: ${yamlScalar(value)}`));
}

function setTags(map: YAMLMap, tags: readonly string[]): void {
  const pair = map.items.find((item) => plainKey(item) === 'tags');
  const before = isSeq(pair?.value) ? pair.value.items.map(tagText) : [];
  if (before.join('\0') === tags.join('\0')) return;
  const written = parsePair(`tags: [${tags.map(yamlScalar).join(', ')}]`);
  if (pair === undefined) map.items.push(written);
  else replaceValue(pair, written);
}

function tagText(item: unknown): string {
  return isScalar(item) ? String(item.value).replace(/^:(?=[A-Za-z_])/, '') : '';
}

function replaceValue(pair: Pair, written: Pair): void {
  if (isNode(pair.value) && isNode(written.value)) {
    Object.assign(written.value, commentsOf(pair.value));
  }
  pair.value = written.value;
}

function commentsOf(node: object): object {
  const { comment, commentBefore, spaceBefore } = node as Record<string, unknown>;
  return { comment, commentBefore, spaceBefore };
}

function removeKey(map: YAMLMap, key: string): void {
  map.items = map.items.filter((item) => plainKey(item) !== key);
}

function parsePair(text: string): Pair {
  const { contents } = parseDocument(text, REGISTRY_YAML);
  const pair = isMap(contents) ? contents.items[0] : undefined;
  if (pair === undefined) throw new TypeError('A registry line is one key and its value.');
  return pair;
}

function keyText(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : '';
}

function plainKey(pair: Pair): string {
  return keyText(pair).replace(/^:/, '');
}
