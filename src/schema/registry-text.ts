import type { RegistryField } from './model.js';

/** What a new `registry.yaml` begins with, for the person who opens it first. */
export const REGISTRY_HEADER = `# yaml-language-server: $schema=../node_modules/vkit/schemas/registry.schema.json
# The reviewed baseline: every dataset and field that vkit may serve, and how sensitive each of them is.
# "vkit scan ID --apply" adds what is new, updates types and marks what is gone ("gone: true", not served).
# Sensitivity, category, tags, descriptions, comments and order are yours: no scan changes them back.

`;

/** What the file of one datasource begins with, where the one file would be too large. */
export function registryPartHeader(datasource: string): string {
  return `# yaml-language-server: $schema=../../node_modules/vkit/schemas/registry.schema.json
# The part of the reviewed baseline that is of the datasource ${datasource}: it has too many datasets for ../registry.yaml.
# "vkit scan ${datasource} --apply" adds what is new, updates types and marks what is gone ("gone: true", not served).
# Sensitivity, category, tags, descriptions, comments and order are yours: no scan changes them back.

`;
}

// Words that YAML 1.1 or 1.2 readers take for something other than text.
const RESERVED = /^(?:y|n|yes|no|on|off|true|false|null|nan|inf)$/i;

/** A text as a YAML scalar that every reader takes for that text, in block and in flow context. */
export function yamlScalar(text: string): string {
  const known = knownScalars.get(text);
  if (known !== undefined) return known;
  const scalar = scalarOf(text);
  if (knownScalars.size < SCALARS_KNOWN_MAX && text.length <= SCALAR_CHARACTERS_MAX) {
    knownScalars.set(text, scalar);
  }
  return scalar;
}

/** Names of columns recur from table to table. */
const SCALARS_KNOWN_MAX = 10_000;
const SCALAR_CHARACTERS_MAX = 64;
const knownScalars = new Map<string, string>();

function scalarOf(text: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*(?:[.-][A-Za-z0-9_]+)*$/.test(text) && !RESERVED.test(text))
    return text;
  // JSON is YAML; what YAML does not print, or a terminal would obey, is escaped beyond what JSON asks for.
  return JSON.stringify(text).replace(
    /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]/gu,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** One field as the line of its dataset: `email: {type: text, sensitivity: medium, category: pii}`, without indentation. */
export function fieldText(name: string, field: RegistryField): string {
  const known = knownFields.get(field);
  if (known !== undefined) return `${yamlScalar(name)}: ${known}`;
  const text = describedText(field);
  knownFields.set(field, text);
  return `${yamlScalar(name)}: ${text}`;
}

/** A scan describes equal columns by one and the same object, which nobody changes. */
const knownFields = new WeakMap<RegistryField, string>();

function describedText(field: RegistryField): string {
  const parts = [
    `type: ${yamlScalar(field.type)}`,
    `sensitivity: ${field.sensitivity}`,
    `category: ${yamlScalar(field.category)}`,
  ];
  if (field.classification !== undefined) {
    parts.push(`classification: ${yamlScalar(field.classification)}`);
  }
  if (field.tags.length > 0) parts.push(`tags: [${field.tags.map(yamlScalar).join(', ')}]`);
  if (field.description !== undefined) parts.push(`description: ${yamlScalar(field.description)}`);
  if (field.gone) parts.push('gone: true');
  return `{${parts.join(', ')}}`;
}

/** A new dataset as a block of the registry, its fields in their order, with a newline at its end. */
export function newDatasetText(
  key: string,
  datasource: string,
  names: readonly string[],
  fields: readonly RegistryField[],
): string {
  let text = `${yamlScalar(key)}:\n  datasource: ${yamlScalar(datasource)}\n`;
  text += names.length === 0 ? '  fields: {}\n' : '  fields:\n';
  for (const [index, field] of fields.entries()) {
    text += `    ${fieldText(names[index] ?? '', field)}\n`;
  }
  return text;
}
