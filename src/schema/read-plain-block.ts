import type { RegistryDataset, RegistryField } from './model.js';
import { readRegistryYaml } from './read-registry-yaml.js';
import { isUsableName } from './registry-names.js';

const WORD = '[A-Za-z_][A-Za-z0-9_]*(?:[.-][A-Za-z0-9_]+)*';
const KEY = new RegExp(`^(${WORD}):$`);
const DATASOURCE = new RegExp(`^ {2}datasource: (${WORD})$`);
const FIELD = new RegExp(`^ {4}(${WORD}): (\\{.*\\})$`);

/** More different fields than a registry has in practice; they are small. */
const FIELDS_KNOWN_MAX = 10_000;

/** Reads a field that is a flow mapping on a line of its own; `null` where it is not one without problems. */
export type FieldReader = (line: string) => { name: string; field: RegistryField } | null;

/**
 * A reader that has the YAML parser read each different text once. A registry of ten thousand tables has some hundred
 * thousand fields, and a few hundred different lines: reading each anew takes most of a minute.
 */
export function createFieldReader(): FieldReader {
  const knownLines = new Map<string, ReturnType<FieldReader>>();
  const knownValues = new Map<string, RegistryField | null>();
  const readValue = (text: string): RegistryField | null => {
    const before = knownValues.get(text);
    if (before !== undefined) return before;
    const read = readAlone(text);
    if (knownValues.size < FIELDS_KNOWN_MAX) knownValues.set(text, read);
    return read;
  };
  return (line) => {
    const before = knownLines.get(line);
    if (before !== undefined) return before;
    const [, name, text] = FIELD.exec(line) ?? [];
    if (name === undefined || text === undefined || !isUsableName(name)) return null;
    const field = readValue(text);
    const read = field === null ? null : { name, field };
    if (knownLines.size < FIELDS_KNOWN_MAX) knownLines.set(line, read);
    return read;
  };
}

function readAlone(text: string): RegistryField | null {
  const around = `a:\n  datasource: a\n  fields:\n    a: ${text}\n`;
  const { datasets, problems } = readRegistryYaml(around, { file: '', lineOffset: 0 });
  const [only] = datasets;
  const field = only?.dataset.fields.get('a');
  return problems.length > 0 || datasets.length !== 1 || only?.dataset.fields.size !== 1
    ? null
    : (field ?? null);
}

/**
 * Reads a dataset that stands line by line as a scan writes it. `null` for anything else, correct or not: the YAML parser
 * then reads the block as a whole, and says what is wrong with it.
 */
export function readPlainBlock(
  body: string,
  readField: FieldReader,
): { key: string; dataset: RegistryDataset } | null {
  const lines = body.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const key = KEY.exec(lines[0] ?? '')?.[1];
  const datasource = DATASOURCE.exec(lines[1] ?? '')?.[1];
  if (key === undefined || datasource === undefined || lines[2] !== '  fields:') return null;
  if (lines.length < 4) return null;
  const fields = new Map<string, RegistryField>();
  for (const line of lines.slice(3)) {
    const read = readField(line);
    if (read === null || fields.has(read.name)) return null;
    fields.set(read.name, read.field);
  }
  return isUsableName(key) ? { key, dataset: { datasource, fields } } : null;
}
