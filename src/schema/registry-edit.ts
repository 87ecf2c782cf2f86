import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml';
import type { RegistryField } from './model.js';
import { REGISTRY_YAML } from './read-registry-yaml.js';
import { splitRegistry } from './registry-blocks.js';
import { changeField, insertField, setGone } from './registry-edit-nodes.js';
import { REGISTRY_HEADER } from './registry-text.js';

/** One change of the registry. Names are those the registry has after the edits before it. */
export type RegistryEdit =
  | { edit: 'add_dataset'; key: string; text: string }
  | { edit: 'mark_dataset'; key: string; gone: boolean }
  | { edit: 'add_field'; key: string; name: string; field: RegistryField; after: string | null }
  | { edit: 'change_field'; key: string; name: string; newName: string; field: RegistryField };

type DatasetEdit = Exclude<RegistryEdit, { edit: 'add_dataset' }>;

/** A long line stays a line: folding it would make a diff of what nobody changed. */
const PRINT = { lineWidth: 0, flowCollectionPadding: false } as const;

/**
 * Applies edits to the text of a registry that parses. A dataset without an edit keeps its bytes; one with an edit is
 * written anew from its YAML nodes, so its comments and order stay. New datasets are inserted before the first one whose
 * key is greater. Without edits the text is returned as it is.
 */
export function editRegistry(text: string, edits: readonly RegistryEdit[]): string {
  if (edits.length === 0) return text;
  const added = edits
    .flatMap((edit) => (edit.edit === 'add_dataset' ? [edit] : []))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const changes = new Map<string, DatasetEdit[]>();
  for (const edit of edits) {
    if (edit.edit === 'add_dataset') continue;
    const list = changes.get(edit.key);
    if (list === undefined) changes.set(edit.key, [edit]);
    else list.push(edit);
  }
  const lineEnd = text.includes('\r\n') ? '\r\n' : '\n';
  const withLineEnds = (part: string) =>
    lineEnd === '\n' && !part.includes('\r') ? part : part.replace(/\r?\n/g, lineEnd);
  const split = splitRegistry(text);
  if (split === null) return withLineEnds(editWhole(text, added, changes));
  const parts: string[] = [];
  const append = (part: string) => {
    // The last line of a file may lack its newline; nothing may be glued to it.
    if (part !== '' && parts.length > 0 && !/\n$/.test(parts.at(-1) ?? '')) parts.push(lineEnd);
    if (part !== '') parts.push(part);
  };
  append(text.trim() === '' ? withLineEnds(REGISTRY_HEADER) : split.header);
  let next = 0;
  for (const block of split.blocks) {
    const key = keyOfBlock(block.body);
    for (; next < added.length && (added[next]?.key ?? '') < key; next += 1) {
      append(withLineEnds(added[next]?.text ?? ''));
    }
    append(block.lead);
    const list = changes.get(key);
    append(list === undefined ? block.body : withLineEnds(editBlock(block.body, list)));
  }
  for (; next < added.length; next += 1) append(withLineEnds(added[next]?.text ?? ''));
  append(split.trailer);
  return parts.join('');
}

/** The key of a dataset's block. */
export function keyOfBlock(body: string): string {
  const plain = /^([A-Za-z_][\w.-]*):[ \t\r]*(?:\n|$)/.exec(body)?.[1];
  if (plain !== undefined) return plain;
  const { contents } = parseDocument(body, REGISTRY_YAML);
  return isMap(contents) ? keyText(contents.items[0]) : '';
}

function editBlock(body: string, edits: readonly DatasetEdit[]): string {
  const document = parseDocument(body, REGISTRY_YAML);
  if (!isMap(document.contents)) return body;
  for (const edit of edits) editDataset(document.contents.items[0], edit);
  return document.toString(PRINT);
}

/** For a registry that is no plain block mapping: all of it goes through the parser. */
function editWhole(
  text: string,
  added: readonly { key: string; text: string }[],
  changes: ReadonlyMap<string, DatasetEdit[]>,
): string {
  const document = parseDocument(text, REGISTRY_YAML);
  const root = document.contents;
  if (!isMap(root)) return text;
  for (const pair of root.items) {
    for (const edit of changes.get(keyText(pair)) ?? []) editDataset(pair, edit);
  }
  for (const { key, text: written } of added) {
    const block = parseDocument(written, REGISTRY_YAML).contents;
    const pair = isMap(block) ? block.items[0] : undefined;
    if (pair === undefined) continue;
    const at = root.items.findIndex((item) => keyText(item) > key);
    root.flow = false;
    root.items.splice(at === -1 ? root.items.length : at, 0, pair);
  }
  return document.toString(PRINT);
}

function editDataset(pair: Pair | undefined, edit: DatasetEdit): void {
  if (!isMap(pair?.value)) return;
  const dataset: YAMLMap = pair.value;
  if (edit.edit === 'mark_dataset') {
    setGone(dataset, edit.gone, 'before_fields');
    return;
  }
  const fields = dataset.items.find((item) => /^:?fields$/.test(keyText(item)))?.value;
  if (!isMap(fields)) return;
  if (edit.edit === 'add_field') insertField(fields, edit.name, edit.field, edit.after);
  else changeField(fields, edit.name, edit.newName, edit.field);
}

function keyText(pair: Pair | undefined): string {
  return isScalar(pair?.key) ? String(pair.key.value) : '';
}
