import { describe, expect, it } from 'vitest';
import { compareBundles } from '../../../src/bundle/compare/compare-bundles.js';
import { renderComparisonMarkdown } from '../../../src/bundle/compare/render-markdown.js';
import { bundle, dataset, policy } from './bundles.js';

const allow = policy('open', 'allow');
const render = (...[a, b]: Parameters<typeof compareBundles>) =>
  renderComparisonMarkdown(compareBundles(a, b), 'v1', 'v2');

describe('a comparison as Markdown', () => {
  it('is a table for each direction, fields that change alike in one row, and the content below', () => {
    const datasets = [dataset('t', ['f', 'g'])];
    const hidden = policy('hide', 'mask', {
      match: { fields: { any: ['f', 'g'] } },
      masking: { default_method: 'full' },
    });
    expect(render(bundle([allow, hidden], datasets), bundle([allow], datasets))).toBe(
      [
        '## Policy changes',
        '',
        'v1 → v2',
        '',
        '2 changes widen.',
        '',
        '### ⚠️ Widening',
        '',
        '| Where | Change | For whom |',
        '|---|---|---|',
        '| t\\.f, t\\.g | mask full → allow | everybody; production |',
        '',
        '### Content',
        '',
        '- Policies removed: hide',
        '',
      ].join('\n'),
    );
  });

  it('has a row for what stands for something else, names as they are', () => {
    const [table] = [dataset('t', ['f'])];
    const other = { ...table, table: { schema: '', name: 'a|b @team' } };
    const text = render(bundle([], [table]), bundle([], [other]));
    expect(text).toContain('### ⚠️ Widening and narrowing at once\n');
    expect(text).toContain('\n| dataset t | table\\.name t → a\\|b ');
    expect(text).not.toContain('@team');
  });

  it('says that nothing changes', () => {
    expect(render(bundle([allow]), bundle([allow]))).toBe(
      '## Policy changes\n\nv1 → v2\n\nNo decision changes.\n',
    );
  });

  it('shows names as they are and obeys none', () => {
    const name = 'a|b <img src=x> @team [l](http://x) `c`\n# h';
    const datasets = [dataset(name, [name])];
    const open = policy('open', 'allow', { when: { requester_role: name } });
    const text = render(bundle([], datasets), bundle([open], datasets));
    expect(text).not.toMatch(/<img|@team|(?<!\\)\[l|(?<!\\)`c|^# h/m);
    const rows = text.split('\n').filter((line) => line.startsWith('| a'));
    expect(rows.map((row) => row.split(/(?<!\\)\|/).length)).toEqual([5]);
  });

  it('is cut where a pull request takes no more, and says how much is missing', () => {
    const datasets = Array.from({ length: 600 }, (_, index) => dataset(`t${index}`, ['f']));
    const policies = datasets.map(({ name }, index) =>
      policy(`open_${name}`, 'allow', {
        match: { dataset: name },
        when: { requester_role: `role_${index}_${'x'.repeat(120)}` },
      }),
    );
    const text = render(bundle([], datasets), bundle(policies, datasets));
    expect(text.length).toBeLessThan(65_536);
    const rows = text.split('\n').filter((line) => line.startsWith('| t')).length;
    expect(text).toContain(`${600 - rows} more rows; \`vkit policy diff --json\` lists all.`);
  });
});
