import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  loadPackFiles,
  packNamesIn,
  readPackDirectory,
  shippedPacksDirectory,
} from '../../src/packs/load-pack-files.js';
import { packChecksum, readPack } from '../../src/packs/read-pack.js';
import { pack, packDirectory, packFiles, policy, shipped } from './packs.js';

const META = (lines: string) =>
  `__pack_meta:\n  name: mine\n  version: "1.0.0"\n  layer: custom\n${lines}`;

async function refusal(
  changes: Record<string, string | null>,
): Promise<{ message: string; codes: string[] }> {
  return pack('mine', changes).then(
    () => ({ message: 'accepted', codes: [] }),
    (error) => ({
      message: error.message,
      codes: (error.details?.problems ?? []).map(({ code }: { code: string }) => code),
    }),
  );
}

describe('the shipped packs', () => {
  it('are three, valid, and in bands that do not overlap', async () => {
    const names = await packNamesIn(shippedPacksDirectory());
    expect(names).toEqual(['ai_safety', 'financial_compliance', 'starter']);
    const bands = (await Promise.all(names.map(shipped))).map(
      ({ metadata }) => metadata.priority_band,
    );
    const sorted = bands
      .map((band) => [band?.min ?? 0, band?.max ?? 0] as const)
      .sort(([a], [b]) => a - b);
    expect(sorted).toEqual([
      [100, 199],
      [200, 299],
      [300, 399],
    ]);
  });

  it('describe every policy and mask with full or tokenize only', async () => {
    for (const name of await packNamesIn(shippedPacksDirectory())) {
      for (const { policy: one } of (await shipped(name)).policies) {
        expect(one.description?.length ?? 0, one.id).toBeGreaterThan(40);
        expect(['full', 'tokenize', undefined], one.id).toContain(one.masking?.default_method);
        expect(one.approval?.lifts_mask ?? false, one.id).toBe(false);
      }
    }
  });
});

describe.each(['starter', 'ai_safety', 'financial_compliance'])('the policies of %s', (name) => {
  const GDPR = /GDPR Art\. \d/;
  const PCI = /PCI DSS v4\.0\.1 requirements? \d+\.\d+\.\d+/;

  it('say which article or requirement they serve, and the README says the same', async () => {
    const { metadata, policies } = await shipped(name);
    const readme = readFileSync(join(shippedPacksDirectory(), name, 'README.md'), 'utf8');
    const band = metadata.priority_band;
    expect(readme.replace(/\s+/g, ' ')).toContain(`priorities ${band?.min} to ${band?.max}`);
    const rows = readme.split('\n').filter((line) => line.startsWith('| `'));
    expect(rows).toHaveLength(policies.length);
    for (const [index, { policy: one }] of policies.entries()) {
      const description = one.description ?? '';
      expect(GDPR.test(description) || PCI.test(description), one.id).toBe(true);
      const [, id, what, , articles = '', requirements = ''] = (rows[index] ?? '').split('|');
      expect(id).toBe(` \`${one.id}\` `);
      expect(what?.replace('require approval', 'require_approval'), one.id).toMatch(
        new RegExp(`^ ${one.action}\\b`),
      );
      for (const article of articles.match(/\b\d+(?=\(|,|\b )/g) ?? []) {
        expect(description, one.id).toMatch(new RegExp(`\\b(Art\\. |and )${article}\\b`));
      }
      for (const requirement of requirements.match(/\d+\.\d+\.\d+/g) ?? []) {
        expect(description, one.id).toContain(requirement);
      }
    }
  });
});

describe('readPack', () => {
  it('names the files a project gets after pack, number and slug', async () => {
    const { policies } = await pack('mine');
    expect(policies.map(({ target }) => target)).toEqual([
      'config/policies/mine__01__mine_one.yaml',
      'config/policies/mine__02__mine_two.yaml',
    ]);
  });

  it.each([
    ['no metadata', { 'metadata.yaml': null }, 'missing_metadata'],
    [
      'another name than its directory',
      { 'metadata.yaml': META('').replace('mine', 'other') },
      'name_mismatch',
    ],
    [
      'a version that is not semantic',
      { 'metadata.yaml': META('').replace('1.0.0', '1.0') },
      'version_invalid',
    ],
    [
      'a version that is a number',
      { 'metadata.yaml': META('').replace('"1.0.0"', '1.0') },
      'wrong_type',
    ],
    ['an unknown layer', { 'metadata.yaml': META('').replace('custom', 'roof') }, 'wrong_value'],
    ['an unknown key', { 'metadata.yaml': META('  colour: red\n') }, 'unknown_key'],
    [
      'a dependency with a broken range',
      { 'metadata.yaml': META('  dependencies: ["starter@^x.y.z.w"]\n') },
      'range_invalid',
    ],
    [
      'a dependency on itself',
      { 'metadata.yaml': META('  dependencies: [mine]\n') },
      'self_dependency',
    ],
    ['a merge key', { 'metadata.yaml': `a: &a {x: 1}\n${META('  <<: *a\n')}` }, 'yaml_merge'],
    ['a policy file without a number', { 'policies/mine.yaml': policy('extra') }, 'policy_file'],
    ['a policy file in a folder', { 'policies/more/03_x.yaml': policy('extra') }, 'policy_file'],
    ['one id twice', { 'policies/03_again.yaml': policy('mine_one') }, 'duplicate'],
    [
      'no policies',
      { 'policies/01_mine_one.yaml': null, 'policies/02_mine_two.yaml': null },
      'no_policies',
    ],
  ])('refuses %s', async (_name, changes, code) => {
    expect((await refusal(changes)).codes).toContain(code);
  });

  const BOMB = `a: &a [x, x, x, x, x, x, x, x, x]\n${'bcdefgh'
    .split('')
    .map((name, index) => {
      const before = 'abcdefgh'[index];
      return `${name}: &${name} [${Array(9).fill(`*${before}`).join(', ')}]\n`;
    })
    .join('')}`;

  it.each([
    ['aliases that unfold into too much', BOMB, 'yaml_aliases'],
    ['a merge key', 'a: &a {x: 1}\nb: {<<: *a}\n', 'yaml_merge'],
    ['a tag', 'a: !!js/function "x"\n', 'yaml_tag'],
    ['a tag of its own', 'a: !thing {x: 1}\n', 'yaml_tag'],
    ['__proto__', '__proto__: {name: x}\n', 'yaml_key'],
    ['a key twice', 'a: 1\na: 2\n', 'yaml_syntax'],
    ['a second document', 'a: 1\n---\nb: 1\n', 'yaml_syntax'],
    ['ten thousand levels', `a: ${'['.repeat(10_000)}`, 'yaml_depth'],
  ])('refuses %s in the metadata and in a policy', async (_name, text, code) => {
    const metadata = await refusal({ 'metadata.yaml': `${text}${META('')}` });
    expect(metadata.codes).toContain(code);
    const one = await refusal({ 'policies/01_mine_one.yaml': `${text}${policy('mine_one')}` });
    expect(one.codes).toContain(code);
  });

  it('refuses what is no UTF-8, and takes the mark with which editors begin it', async () => {
    const files = (text: string) =>
      new Map(
        Object.entries({ ...packFiles('mine'), 'policies/01_mine_one.yaml': text }).map(
          ([path, body]) => [path, Buffer.from(body, 'latin1')] as const,
        ),
      );
    const wrong = files(policy('mine_one').replace('A policy', 'Caf\u00e9'));
    expect(() => readPack({ directory: 'mine', files: wrong })).toThrow('One problem');
    const marked = files(`\u00ef\u00bb\u00bf${policy('mine_one')}`);
    expect(readPack({ directory: 'mine', files: marked }).policies).toHaveLength(2);
  });

  it('refuses a path that would be too long for a file', async () => {
    const path = `policies/03_${'x'.repeat(100)}.yaml`;
    expect((await refusal({ [path]: policy('extra') })).codes).toEqual(['policy_file']);
  });

  it.each([[499], [600], [null]])('refuses the priority %s outside its band', async (priority) => {
    const { message, codes } = await refusal({
      'policies/01_mine_one.yaml': policy('mine_one', priority),
    });
    expect(message).toBe('InvalidPack: Policy priority outside allowed band');
    expect(codes).toEqual(['priority_outside_band']);
  });

  it('asks for no priority where there is no band', async () => {
    expect(
      (
        await refusal({
          'metadata.yaml': META(''),
          'policies/01_mine_one.yaml': policy('mine_one', null),
        })
      ).message,
    ).toBe('accepted');
  });

  it('reports the problems of all files at once, each with its file', async () => {
    const error = await pack('mine', {
      'policies/01_mine_one.yaml': 'id: 1\n',
      'policies/02_mine_two.yaml': policy('mine_two', 1),
    }).catch((caught) => caught);
    const files = new Set(error.details.problems.map(({ file }: { file: string }) => file));
    expect(files).toEqual(
      new Set(['mine/policies/01_mine_one.yaml', 'mine/policies/02_mine_two.yaml']),
    );
  });
});

describe('packChecksum', () => {
  const of = (files: Record<string, string>) =>
    packChecksum(new Map(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)])));

  it('does not depend on the order of the files or on files that are not part of the pack', () => {
    const plain = of({ 'metadata.yaml': 'm', 'policies/a.yaml': 'a' });
    expect(of({ 'policies/a.yaml': 'a', 'README.md': 'x', 'metadata.yaml': 'm' })).toBe(plain);
  });

  it('tells packs apart whose bytes are the same when put together', () => {
    const all = [
      of({ 'policies/a.yaml': 'ab', 'policies/b.yaml': 'c' }),
      of({ 'policies/a.yaml': 'a', 'policies/b.yaml': 'bc' }),
      of({ 'policies/a.yaml': 'abc' }),
      of({ 'policies/a.yaml': 'abc', 'policies/b.yaml': '' }),
      of({ 'policies/a.yaml': 'ab\npolicies/b.yaml\n1\nc' }),
    ];
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('loadPackFiles', () => {
  it('takes a directory by its path', async () => {
    const directory = packDirectory('mine');
    expect(readPack(await loadPackFiles('./mine', `${directory}/..`)).metadata.name).toBe('mine');
    expect((await readPackDirectory(directory)).directory).toBe('mine');
  });

  it('suggests the shipped pack that was meant', async () => {
    await expect(loadPackFiles('startr', '/')).rejects.toMatchObject({
      code: 'not_found',
      hint: expect.stringContaining('"starter"'),
    });
    await expect(loadPackFiles('./nowhere', '/')).rejects.toMatchObject({ code: 'not_found' });
  });
});
