import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseRegistry } from '../../src/schema/parse-registry.js';
import { REGISTRY_LOCK_SCHEMA } from '../../src/schema/registry-lock-schema.js';
import { checkSchema } from '../../src/util/check-schema.js';

const shipped = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../schemas/${name}`, import.meta.url), 'utf8')) as object;

const field = '{type: text, sensitivity: low, category: pii, tags: [a], classification: email}';
const accepted = [
  `a:\n  datasource: d\n  gone: true\n  description: x\n  fields:\n    x: ${field}\n`,
  'a: {datasource: d, fields: {x: {type: text, sensitivity: ":low", category: PII, gone: true}}}',
  'format_version: v1\nformat_version2: {datasource: d, fields: {}}\n',
];
const refused = [
  'a: {fields: {}}',
  'a: {datasource: d}',
  'a: {datasource: d, fields: {x: text}}',
  'a: {datasource: d, fields: {x: {sensitivity: low}}}',
  'a: {datasource: d, fields: {x: {type: text, sensitivity: lowest}}}',
  'a: {datasource: d, fields: {x: {type: text, tag: [a]}}}',
  'a: {datasource: d, fields: [], gone: yes please}',
  'format_version: v2',
];

describe('the JSON Schemas that ship for editors', () => {
  it.each(accepted)('agree with the parser on what is accepted: %s', (text) => {
    expect(parseRegistry(text, 'r').problems).toEqual([]);
    expect(checkSchema(shipped('registry.schema.json'), parse(text))).toEqual([]);
  });

  it.each(refused)('agree with the parser on what is refused: %s', (text) => {
    expect(parseRegistry(text, 'r').problems).not.toEqual([]);
    expect(checkSchema(shipped('registry.schema.json'), parse(text))).not.toEqual([]);
  });

  it('are for the lock the one the parser uses', () => {
    expect(shipped('registry-lock.schema.json')).toEqual(REGISTRY_LOCK_SCHEMA);
  });
});
