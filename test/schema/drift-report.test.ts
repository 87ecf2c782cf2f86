import { describe, expect, it } from 'vitest';
import { type PolicyView, withPolicyEffects } from '../../src/schema/drift.js';
import { renderDriftJson } from '../../src/schema/drift-json.js';
import { renderDriftMarkdown } from '../../src/schema/drift-markdown.js';
import {
  renderDriftText,
  renderLoginWarnings,
  type ScanReport,
} from '../../src/schema/drift-report.js';
import { renderDriftSarif } from '../../src/schema/drift-sarif.js';
import { NOTHING, scan, schema, table } from './scan-fixtures.js';

const POLICIES: PolicyView = {
  effectOn: (_dataset, _datasource, field) => (field === 'email' ? 'masked by mask_pii' : null),
  namedBy: (_dataset, _datasource, field) =>
    field === 'fax' ? 'still named by policy contact_fields' : null,
};

const FIRST_TABLES = [table('customers', ['email text', 'fax text'])];
const FIRST = scan(NOTHING, schema(...FIRST_TABLES));
const SECOND = scan(
  FIRST,
  schema(
    table('customers', ['ssn integer', 'email varchar']),
    table('user_sessions', ['session_email inet']),
  ),
);

const report = (over: Partial<ScanReport> = {}): ScanReport => ({
  datasource: 'production_db',
  server: 'postgres 15.4',
  tables: 214,
  fields: 2_840,
  durationMs: 1_234,
  drift: withPolicyEffects(SECOND.drift, POLICIES),
  suggestions: [],
  leftOut: [],
  login: null,
  applied: false,
  ...over,
});

describe('the report for people', () => {
  it('has the layout of the specification', () => {
    expect(renderDriftText(report())).toBe(
      `Scanning production_db (postgres 15.4) … 214 tables, 2,840 fields in 1.2 s

+ dataset: user_sessions
    + field: session_email (inet) [PII]     NEW - requires policy
~ dataset: customers
    + field: ssn (integer) [PII, high]      NEW - requires policy
    ~ field: email (text -> varchar) [PII]  masked by mask_pii
    - field: fax (text)                     still named by policy contact_fields

1 new dataset, 2 new fields, 1 changed, 1 removed. Run with --apply to update the baseline.
`,
    );
  });

  it('says first what is new and last what is gone, wherever it stands in the table', () => {
    const now = schema(
      table('b', ['total integer']),
      table('customers', ['email varchar', 'ssn integer']),
    );
    const { drift } = scan(scan(FIRST, schema(...FIRST_TABLES, table('a', ['id integer']))), now);
    const lines = renderDriftText(report({ drift })).split('\n');
    expect(lines.flatMap((line) => /^ *[-+~] (?:dataset|field): \w+/.exec(line) ?? [])).toEqual([
      '+ dataset: b',
      '~ dataset: customers',
      '    + field: ssn',
      '    ~ field: email',
      '    - field: fax',
      '- dataset: a',
    ]);
  });

  it('puts below a line what a terminal has no room for beside it, and leaves nothing out', () => {
    const roles = { approval: ['analyst'], uncovered: ['admin', 'engineer', 'security', '*'] };
    const drift = SECOND.drift.map((finding) =>
      finding.field === 'ssn'
        ? { ...finding, effect: 'needs approval (approve_analysts_in_production)', roles }
        : finding,
    );
    const text = renderDriftText(report({ drift }), 80);
    expect(text).toContain(
      `    + field: ssn (integer) [PII, high]
          NEW - needs approval (approve_analysts_in_production) (approval:
          analyst; uncovered: admin, engineer, security, others)
`,
    );
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(93);
    expect(renderDriftText(report({ drift }))).toContain('security, others)\n');
  });

  it('warns of what the login could do, with names that do nothing on a terminal', () => {
    const write = { code: 'write', message: 'The login may write to what it reads.' } as const;
    const login = [{ ...write, objects: ['public.a\u001b[2J', 'public.b'], count: 7 }];
    expect(renderLoginWarnings(report({ login }))).toEqual([
      'production_db: The login may write to what it reads. (public.a\\u001b[2J, public.b, and 5 more)\nA login that can only read: vkit datasource grants production_db',
    ]);
    expect(renderLoginWarnings(report({ login: [] }))).toEqual([]);
    expect(renderDriftJson(report({ login })).login).toEqual(login);
  });

  it('says that there is nothing to say', () => {
    expect(renderDriftText(report({ drift: [] }))).toMatch(/\n\nNo drift\.\n$/);
  });

  it('counts what is not sensitive in a new table', () => {
    const wide = table('t', ['a text', 'email text', 'b text']);
    expect(renderDriftText(report({ drift: scan(NOTHING, schema(wide)).drift }))).toContain(
      '    + 2 more fields, nothing sensitive found\n',
    );
  });

  it('stays readable for the first scan of a large schema', () => {
    const tables = Array.from({ length: 500 }, (_, index) =>
      table(`t${String(index).padStart(3, '0')}`, ['id integer', 'email text', 'ssn text']),
    );
    const text = renderDriftText(report({ drift: scan(NOTHING, schema(...tables)).drift }));
    expect(text.split('\n').length).toBeLessThan(120);
    expect(text).toContain('+ dataset: t000  3 fields: 1 PII, 1 PII, high, 1 other\n');
    expect(text).toContain('+ 400 more new datasets; --format json lists all\n');
    expect(text).toContain('500 new datasets, 1,500 new fields.');
  });
});

describe('names that come from a database', () => {
  const hostile = '\u001b]0;x\u0007`@everyone` [x](http://evil) <img src=x> | a\nb \u202e';
  const evil = { ...table('x', ['id integer']), table: { schema: 'public', name: hostile } };
  const column = { name: hostile, type: 'text', native: 'text', position: 1, nullable: true };
  const drift = scan(NOTHING, schema({ ...evil, columns: [column] })).drift.map((finding) => ({
    ...finding,
    sensitivity: 'high' as const,
  }));
  const evilReport = report({ drift, leftOut: [hostile], server: hostile });

  it('are shown by a terminal and not obeyed', () => {
    const text = renderDriftText(evilReport);
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(text.split('\n')).toHaveLength(8);
  });

  it('are literals in Markdown', () => {
    const text = renderDriftMarkdown([evilReport]);
    expect(text).not.toMatch(/<img|@everyone|[^\\]`|[^\\]\[x|\u202e/);
    for (const line of text.split('\n').filter((one) => one.startsWith('|'))) {
      expect(line.match(/(?<!\\)\|/g)).toHaveLength(7);
    }
  });

  it('are no links in SARIF', () => {
    const text = JSON.stringify(
      renderDriftSarif([evilReport], { vkitVersion: '1', registryPath: 'r' }),
    );
    expect(text).toContain('\\\\[x\\\\](http');
    expect(JSON.stringify(JSON.parse(text).runs[0].results)).not.toMatch(/[^\\]\\u001b|\u202e/);
  });
});

describe('the report for programs', () => {
  it('is JSON with the counts and every finding', () => {
    expect(renderDriftJson(report())).toMatchObject({
      id: 'production_db',
      duration_ms: 1_234,
      drift: true,
      summary: { new_datasets: 1, new_fields: 2, changed: 1, removed: 1 },
      findings: [
        { kind: 'field_added', dataset: 'customers', field: 'ssn', effect: 'uncovered' },
        { kind: 'type_changed', from: 'text', to: 'varchar', effect: 'masked by mask_pii' },
        { kind: 'field_removed', effect: 'still named by policy contact_fields' },
        { kind: 'dataset_added', dataset: 'user_sessions' },
        { kind: 'field_added', category: 'pii' },
      ],
    });
  });

  it('is Markdown that begins with a heading and is cut before GitHub refuses it', () => {
    expect(renderDriftMarkdown([report()])).toContain(
      '| new field | customers | ssn | integer | PII, high | NEW \\- requires policy |\n',
    );
    const unknown = renderDriftMarkdown([report()], { unknown: ['crm_db'] });
    expect(unknown).toContain('### crm\\_db\n\nCould not be looked at');
    const tables = Array.from({ length: 2_000 }, (_, index) =>
      table(`t${index}`, ['email text', 'ssn text']),
    );
    const large = renderDriftMarkdown([report({ drift: scan(NOTHING, schema(...tables)).drift })]);
    expect(large.length).toBeLessThan(65_536);
    expect(large).toMatch(/\d+ more datasets changed/);
    const long = `${'x'.repeat(199)}\u{1f600}`;
    const cut = renderDriftMarkdown([report({ leftOut: [long] })]);
    expect(cut).toContain('x\n');
    expect(cut).not.toMatch(/\p{Cs}/u);
  });

  it('is SARIF with one rule per kind and a place in the registry for each finding', () => {
    const log = renderDriftSarif([report()], {
      vkitVersion: '0.1.0',
      registryPath: 'config/registry.yaml',
      places: new Map([['customers', { path: 'config/registry/shop.yaml', line: 6 }]]),
    });
    expect(log).toMatchObject({
      version: '2.1.0',
      runs: [
        {
          tool: { driver: { name: 'vkit' } },
          results: [
            {
              ruleId: 'drift/field_added',
              level: 'error',
              locations: [
                {
                  physicalLocation: {
                    artifactLocation: { uri: 'config/registry/shop.yaml' },
                    region: { startLine: 6 },
                  },
                },
              ],
            },
            { ruleId: 'drift/type_changed' },
            { ruleId: 'drift/field_removed' },
            { ruleId: 'drift/dataset_added' },
            { ruleId: 'drift/field_added' },
          ],
        },
      ],
    });
  });
});
