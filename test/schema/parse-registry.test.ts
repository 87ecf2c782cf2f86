import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RegistryDataset } from '../../src/schema/model.js';
import { parseRegistry } from '../../src/schema/parse-registry.js';
import { createFieldReader, readPlainBlock } from '../../src/schema/read-plain-block.js';
import { readRegistryYaml } from '../../src/schema/read-registry-yaml.js';
import { splitRegistry } from '../../src/schema/registry-blocks.js';
import { fieldText, yamlScalar } from '../../src/schema/registry-text.js';

function datasetText(key: string, { datasource, description, gone, fields }: RegistryDataset) {
  const lines = [`${yamlScalar(key)}:`, `  datasource: ${yamlScalar(datasource)}`];
  if (description !== undefined) lines.push(`  description: ${yamlScalar(description)}`);
  if (gone) lines.push('  gone: true');
  lines.push(fields.size === 0 ? '  fields: {}' : '  fields:');
  for (const [name, field] of fields) lines.push(`    ${fieldText(name, field)}`);
  return `${lines.join('\n')}\n`;
}

const findings = (text: string) =>
  parseRegistry(text, 'r.yaml').problems.map(
    ({ line, column, code, suggestion }) =>
      `${line}:${column} ${code}${suggestion === undefined ? '' : ` ${suggestion}`}`,
  );

describe('a registry that is accepted', () => {
  it('has the form of the specification', () => {
    const { registry, problems } = parseRegistry(
      `customers:
  datasource: production_db
  fields:
    id: {type: integer, sensitivity: low, category: internal}
    email: {type: text, sensitivity: medium, category: pii, classification: email, tags: [contact]}
`,
      'r.yaml',
    );
    expect(problems).toEqual([]);
    expect([...(registry.get('customers')?.fields ?? [])]).toEqual([
      ['id', { type: 'integer', sensitivity: 'low', category: 'internal', tags: [] }],
      [
        'email',
        {
          type: 'text',
          sensitivity: 'medium',
          category: 'pii',
          classification: 'email',
          tags: ['contact'],
        },
      ],
    ]);
  });

  it('may use the symbols of older files, and any YAML form', () => {
    const { registry, problems } = parseRegistry(
      `---
customers: {:datasource: :db, fields: {email: {:type: :text, :sensitivity: :MEDIUM, category: :PII, tags: [:contact]}}}
format_version: v1
`,
      'r.yaml',
    );
    expect(problems).toEqual([]);
    expect(registry.get('customers')?.datasource).toBe('db');
    expect(registry.get('customers')?.fields.get('email')).toEqual({
      type: 'text',
      sensitivity: 'medium',
      category: 'pii',
      tags: ['contact'],
    });
  });

  it('takes a field without sensitivity for high', () => {
    const { registry } = parseRegistry('a: {datasource: d, fields: {x: {type: text}}}', 'r.yaml');
    expect(registry.get('a')?.fields.get('x')).toMatchObject({ sensitivity: 'high' });
  });

  it('reads names that look like something else as the text they are', () => {
    const text =
      '"null": {datasource: d, fields: {true: {type: text}, 1: {type: text}, on: {type: text}}}';
    const { registry, problems } = parseRegistry(text, 'r.yaml');
    expect(problems).toEqual([]);
    expect([...(registry.get('null')?.fields.keys() ?? [])]).toEqual(['true', '1', 'on']);
  });

  it('may be empty', () => {
    for (const text of ['', '\n# nothing yet\n', '{}\n', '---\n']) {
      expect(parseRegistry(text, 'r.yaml')).toEqual({ registry: new Map(), problems: [] });
    }
  });
});

describe('a registry that is refused, with every place where it is wrong', () => {
  it('names unknown keys, wrong values and missing keys', () => {
    const text = `a:
  datasource: d
  fields:
    x: {type: text, sensitivty: low}
    y: {type: text, sensitivity: hihg}
    z: {sensitivity: low}
    s: text
b:
  fields: []
c:
  datasource: d
  field: {}
`;
    expect(findings(text)).toEqual([
      '4:21 unknown_key Did you mean "sensitivity"?',
      '5:34 wrong_value Did you mean "high"?',
      '6:5 missing_key',
      '7:5 wrong_type Write {type: text, sensitivity: low, category: internal}.',
      '8:1 missing_key',
      '9:11 wrong_type',
      '10:1 missing_key',
      '12:3 unknown_key Did you mean "fields"?',
    ]);
  });

  it('refuses a key that stands twice, wherever', () => {
    const field = '{type: text, sensitivity: low, category: internal}';
    const dataset = `  datasource: d\n  fields:\n    x: ${field}\n`;
    expect(findings(`a:\n${dataset}b:\n${dataset}a:\n${dataset}`)).toEqual([
      '9:1 duplicate_key Keep one of them.',
    ]);
    expect(findings(`a:\n${dataset}    x: ${field}\n`)).toEqual(['5:5 duplicate_key']);
    expect(findings(`a:\n  datasource: d\n${dataset}`)).toEqual(['3:3 duplicate_key']);
    expect(findings('a: {datasource: d, fields: {x: {type: text, :type: text}}}')).toEqual([
      '1:45 duplicate_key',
    ]);
  });

  it('refuses anchors, aliases, merge keys, tags and __proto__', () => {
    expect(findings('a: &x {datasource: d, fields: {}}\nb: *x\n')).toContain('1:7 yaml_alias');
    expect(findings('a: {datasource: d, fields: {<<: {type: text}, x: !!js/function y}}')).toEqual([
      '1:64 yaml_tag',
    ]);
    expect(findings('__proto__: {datasource: d, fields: {__proto__: {type: text}}}')).toEqual([
      '1:1 reserved_name',
      '1:37 reserved_name',
    ]);
    const plain =
      'a:\n  datasource: d\n  fields:\n    __proto__: {type: text, sensitivity: low, category: internal}\n';
    expect(findings(plain)).toEqual(['4:5 reserved_name']);
  });

  it('says where a text is no YAML', () => {
    expect(
      findings('a:\n  datasource: d\n  fields: {x: {type: text}\nb:\n  datasource: d\n')[0],
    ).toMatch(/^\d+:\d+ yaml_syntax/);
    expect(findings('- a\n- b\n')).toEqual(['1:1 wrong_type']);
    expect(findings('a: {datasource: d, fields: {}}\n---\nb: 1\n')[0]).toMatch(/yaml_syntax/);
  });

  it('does not end in a problem list without an end', () => {
    expect(
      findings(
        'x: 1\n'.replace('x', 'a') + Array.from({ length: 500 }, (_, i) => `b${i}: 1\n`).join(''),
      ),
    ).toHaveLength(100);
  });
});

describe('the cut into datasets', () => {
  it('loses no byte of any text it accepts', () => {
    const line = fc.constantFrom(
      'a:\n',
      '  b: c\n',
      '# c\n',
      '\n',
      '  # d\n',
      '---\n',
      '"e f":\n',
      '}\n',
      '\t\n',
      'g',
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const text = lines.join('');
        const split = splitRegistry(text);
        if (split === null) return;
        const parts = split.blocks.flatMap(({ lead, body }) => [lead, body]);
        expect([split.header, ...parts, split.trailer].join('')).toBe(text);
      }),
    );
  });
});

describe('the short way of reading', () => {
  const word = fc.constantFrom(
    'a',
    'b_c',
    'true',
    'null',
    'x.y',
    'v-1',
    'email',
    'text[]',
    'a b',
    'no',
    '1',
    'é',
    ':s',
  );
  const field = fc.record({
    type: word.filter((text) => text !== ':s'),
    sensitivity: fc.constantFrom('low' as const, 'medium' as const, 'high' as const),
    category: fc.constantFrom('internal', 'pii'),
    tags: fc.uniqueArray(word.filter((text) => text !== ':s')),
  });
  it('says the same as the YAML parser, and both say what was written', () => {
    const dataset = fc.record({
      datasource: word.filter((text) => text !== ':s'),
      fields: fc.array(fc.tuple(word, field)).map((entries) => new Map(entries)),
    });
    fc.assert(
      fc.property(word, dataset, (key, written) => {
        const text = datasetText(key, written);
        const read = readRegistryYaml(text, { file: 'r.yaml', lineOffset: 0 });
        expect(read.problems).toEqual([]);
        expect(read.datasets).toMatchObject([{ key }]);
        expect(read.datasets[0]?.dataset).toEqual(written);
        const plain = readPlainBlock(text, createFieldReader());
        if (plain !== null) expect(plain).toEqual({ key, dataset: written });
      }),
    );
  });
});
