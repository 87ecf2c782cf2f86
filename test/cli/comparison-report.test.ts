import { describe, expect, it } from 'vitest';
import { compareBundles } from '../../src/bundle/compare/compare-bundles.js';
import { renderComparison } from '../../src/cli/comparison-report.js';
import { bundle, dataset, policy } from '../bundle/compare/bundles.js';

const render = (...bundles: Parameters<typeof compareBundles>) =>
  renderComparison(compareBundles(...bundles));

describe('a comparison for a terminal', () => {
  it('says where, from what to what and for whom, widening first', () => {
    const datasets = [dataset('t', ['f', 'g'])];
    const on = (field: string, action: 'allow' | 'deny') =>
      policy(`${action}_${field}`, action, {
        match: { fields: { any: [field] } },
        when: { requester_role: 'analyst' },
      });
    expect(render(bundle([on('f', 'allow')], datasets), bundle([on('g', 'allow')], datasets))).toBe(
      [
        'Widening',
        '  + t.g  deny → allow',
        '      role analyst; production',
        '',
        'Narrowing',
        '  - t.f  allow → deny',
        '      role analyst; production',
        '',
        'Policies added: allow_g',
        'Policies removed: allow_f',
        '1 change widens, 1 narrows.',
      ].join('\n'),
    );
  });

  it('says what datasets and datasources stand for elsewhere, and how long the bundle holds', () => {
    const [a, b] = [
      bundle([], [], { expires_at: '2026-01-01T00:00:00Z', sequence: 5 }),
      bundle([]),
    ];
    expect(render(a, { ...b, bundle: { ...b.bundle, sequence: 3 } })).toBe(
      [
        'Widening',
        '  + bundle  expires_at 2026-01-01T00:00:00Z → none',
        '',
        'Bundle: sequence 5 → 3',
        'Datasets added: t',
        '1 change widens.',
      ].join('\n'),
    );
    const table = dataset('t\u001b[2J', ['f']);
    const other = { ...table, table: { schema: 'hr\u001b[2J', name: 'x' } };
    const text = render(bundle([], [table]), bundle([], [other]));
    expect(text).toContain(
      '\n  ± dataset t\\u001b[2J  table.name t\\u001b[2J → x, table.schema  → hr\\u001b[2J\n',
    );
    expect(text).not.toContain('\u001b');
  });

  it('keeps every line within 120 columns and shows what a terminal would obey', () => {
    const long = `${'\u001b[2J'}${'n'.repeat(300)}`;
    const datasets = [dataset(long, ['f', 'g', `g${long}`])];
    const roles = Array.from({ length: 30 }, (_, index) => `${long} ${index}`);
    const needs = roles.map((role, index) =>
      policy(`ask_${index}`, 'require_approval', {
        approval: { approver_role: role },
        when: { requester_role: ['x y', role] },
      }),
    );
    const text = render(
      bundle([], datasets),
      bundle([...needs, policy('open', 'allow')], datasets),
    );
    expect(text).not.toContain('\u001b');
    expect(text).toContain('\\u001b[2Jnnn');
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  it('ends with a number where there are too many to read', () => {
    const datasets = Array.from({ length: 70 }, (_, index) => dataset(`t${index}`, []));
    const policies = datasets.map(({ name }) =>
      policy(`open_${name}`, 'allow', { match: { dataset: name }, when: { requester_role: name } }),
    );
    const text = render(bundle([], datasets), bundle(policies, datasets));
    expect(text).toContain('  … and 10 more; --json lists all');
    expect(text).toContain('70 changes widen.');
    expect(text).toMatch(/^Policies added: open_t0, (.|\n)* and 58\s+more$/m);
  });
});
