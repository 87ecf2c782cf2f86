import { describe, expect, it } from 'vitest';
import { DATASETS_TOGETHER_MAX, editRegistryFiles } from '../../src/schema/edit-registry-files.js';
import type { RegistryField } from '../../src/schema/model.js';
import { parseRegistry } from '../../src/schema/parse-registry.js';
import { parseRegistryFiles } from '../../src/schema/parse-registry-files.js';
import type { RegistryEdit } from '../../src/schema/registry-edit.js';
import { newDatasetText } from '../../src/schema/registry-text.js';

const field: RegistryField = { type: 'text', sensitivity: 'low', category: 'internal', tags: [] };

const add = (key: string, datasource = 'shop'): RegistryEdit => ({
  edit: 'add_dataset',
  key,
  text: newDatasetText(key, datasource, ['id'], [field]),
});

const many = (count: number): RegistryEdit[] =>
  Array.from({ length: count }, (_, index) => add(`t${String(index).padStart(5, '0')}`));

const MAIN = `# Ours.

# Who they are.
customers: # VIP
  datasource: shop
  fields:
    id:   {type: text, category: internal, sensitivity: low} # as typed
# Of the other one.
ledger:
  datasource: bank
  fields: {id: {type: text}}

zoo:
    datasource: shop
    fields: {}
# The end.
`;

describe('a registry in several files', () => {
  const before = { registry: MAIN, part: null };
  const shop = { id: 'shop', keys: ['customers', 'zoo'] };

  it('stays in one as long as a person can review it there', () => {
    const edited = editRegistryFiles(before, many(DATASETS_TOGETHER_MAX - 2), shop);
    expect(edited.part).toBeNull();
    expect(parseRegistry(edited.registry, 'r').registry.size).toBe(DATASETS_TOGETHER_MAX + 1);
    expect(editRegistryFiles(before, [], shop)).toEqual(before);
  });

  it('moves one datasource to a file of its own as it stands, comments and all', () => {
    const edited = editRegistryFiles(before, many(DATASETS_TOGETHER_MAX - 1), shop);
    expect(edited.registry).toBe(`# Ours.

# Of the other one.
ledger:
  datasource: bank
  fields: {id: {type: text}}
# The end.
`);
    const part = edited.part ?? '';
    expect(part).toContain(
      '\n# Who they are.\ncustomers: # VIP\n  datasource: shop\n  fields:\n    id:   {type: text, category: internal, sensitivity: low} # as typed\nt00000:\n',
    );
    expect(part.endsWith('\n\nzoo:\n    datasource: shop\n    fields: {}\n')).toBe(true);
    const files = {
      main: { path: 'config/registry.yaml', text: edited.registry },
      parts: [{ path: 'config/registry/shop.yaml', text: part }],
    };
    const together = parseRegistryFiles(files);
    expect(together.problems).toEqual([]);
    const one = editRegistryFiles(before, many(DATASETS_TOGETHER_MAX - 2), shop).registry;
    const expected = new Map(parseRegistry(one, 'r').registry);
    expect(together.registry.size).toBe(expected.size + 1);
    for (const [key, dataset] of expected) expect(together.registry.get(key)).toEqual(dataset);
  });

  it('moves by size too, and never back', () => {
    const names = Array.from({ length: 20_000 }, (_, index) => `column_${index}`);
    const text = newDatasetText('wide', 'shop', names, Array(20_000).fill(field));
    const edit: RegistryEdit = { edit: 'add_dataset', key: 'wide', text };
    const { part } = editRegistryFiles(before, [edit], shop);
    expect(part).toContain('wide:\n');
    const later = editRegistryFiles(
      { registry: MAIN, part: 'a:\n  datasource: shop\n  fields: {}' },
      [add('b')],
      {
        ...shop,
        keys: ['a', ...shop.keys],
      },
    );
    expect(later.registry).not.toContain('customers');
    expect([...parseRegistry(later.part ?? '', 'p').registry.keys()]).toEqual([
      'a',
      'b',
      'customers',
      'zoo',
    ]);
  });

  it('takes what a killed scan left in both files for one, and clears it away', () => {
    const part =
      'customers: # VIP\n  datasource: shop\n  fields:\n    id:   {type: text, category: internal, sensitivity: low} # as typed\n';
    const files = {
      main: { path: 'config/registry.yaml', text: MAIN },
      parts: [{ path: 'config/registry/shop.yaml', text: part }],
    };
    expect(parseRegistryFiles(files).problems).toEqual([]);
    const edited = editRegistryFiles({ registry: MAIN, part }, [add('new')], shop);
    expect(edited.registry).not.toContain('customers');
    expect(edited.part?.match(/customers:/g)).toHaveLength(1);
  });

  it('says where a dataset stands twice, or in the file of another datasource', () => {
    const files = {
      main: { path: 'config/registry.yaml', text: MAIN },
      parts: [
        {
          path: 'config/registry/shop.yaml',
          text: '\ncustomers:\n  datasource: shop\n  fields: {}\nledger2:\n  datasource: bank\n  fields: {}\n',
        },
        { path: 'config/registry/warehouse.yaml', text: 'a: {datasource: warehouse}\n' },
      ],
    };
    expect(
      parseRegistryFiles(files).problems.map(({ file, line, code }) => [file, line, code]),
    ).toEqual([
      ['config/registry/shop.yaml', 2, 'duplicate_key'],
      ['config/registry/shop.yaml', 5, 'wrong_file'],
      ['config/registry/warehouse.yaml', 1, 'missing_key'],
    ]);
  });

  it('leaves a registry that is no plain mapping in its file', () => {
    const flow = '{customers: {datasource: shop, fields: {id: {type: text}}}}\n';
    const edited = editRegistryFiles({ registry: flow, part: null }, many(2_100), {
      id: 'shop',
      keys: ['customers'],
    });
    expect(edited.part).toBeNull();
    expect(parseRegistry(edited.registry, 'r').registry.size).toBe(2_101);
  });
});
