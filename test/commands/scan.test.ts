import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findPostgres, withSchema } from '../helpers/postgres.js';
import { jsonOf } from '../helpers/run-cli.js';
import { emptyFolder, shopProject, sqlite, terminal } from './project-fixture.js';

type Report = { id: string; drift: boolean; findings: { kind: string; dataset: string }[] };

const ADD_COLUMN = 'ALTER TABLE customers ADD COLUMN phone TEXT';
/** Codes that clear a screen, set its title and turn text around. */
const HOSTILE = '\u001b[2Jx\u001b]0;t\u0007\u202e';

/** What a terminal would obey, of all that `HOSTILE` holds. */
const obeyed = (text: string): string[] =>
  ['\u001b', '\u0007', '\u202e'].filter((code) => text.includes(code));

describe('scan', () => {
  it('exits 0 with drift and 5 with --fail-on-drift, the report on stdout both times', async () => {
    const { root, run, ok } = await shopProject();
    expect((await run(['scan', '--fail-on-drift'])).code).toBe(0);
    sqlite(join(root, 'shop.db'), ADD_COLUMN);
    const shown = await ok(['scan']);
    expect(shown.stdout).toContain('+ field: phone (text) [PII]  NEW - requires policy');
    const failed = await run(['scan', '--fail-on-drift']);
    expect([failed.code, failed.stderr]).toEqual([5, '']);
    expect(failed.stdout).toContain('1 new field. Run with --apply');
    const json = await run(['scan', '--fail-on-drift', '--json']);
    expect([json.code, json.stderr]).toEqual([5, '']);
    expect(jsonOf<Report>(json)).toMatchObject({ id: 'shop', drift: true });
  });

  it('writes the baseline with --apply or --mode apply only', async () => {
    const { root, ok, run } = await shopProject();
    sqlite(join(root, 'shop.db'), ADD_COLUMN);
    const registry = () => readFile(join(root, 'config/registry.yaml'), 'utf8');
    const before = await registry();
    for (const flags of [[], ['--diff'], ['--mode', 'diff'], ['--mode', 'diff_only']]) {
      await ok(['scan', ...flags]);
    }
    expect(await registry()).toBe(before);
    expect((await run(['scan', '--apply', '--mode', 'diff'])).code).toBe(2);
    expect(await registry()).toBe(before);
    await ok(['scan', '--mode', 'apply']);
    expect(await registry()).toContain('    phone: {type: text');
    expect((await ok(['scan', '--fail-on-drift'])).stdout).toContain('No drift.');
  });

  it('prints Markdown and nothing else on stdout with --diff', async () => {
    const { root, ok } = await shopProject();
    sqlite(join(root, 'shop.db'), ADD_COLUMN);
    const { stdout, stderr } = await ok(['scan', '--all', '--diff', '--apply']);
    expect(stdout).toMatch(/^## Schema drift\n/);
    expect(stdout).toContain('| new field | customers | phone | text | PII |');
    expect(stdout).not.toContain('Next:');
    expect(stderr).toContain('Next:');
  });

  it('prints SARIF that points into the registry', async () => {
    const { root, ok, run } = await shopProject();
    sqlite(join(root, 'shop.db'), ADD_COLUMN);
    const log = jsonOf<{ version: string; runs: { results: object[] }[] }>(
      await ok(['scan', '--format', 'sarif']),
    );
    expect(log.version).toBe('2.1.0');
    const text = await readFile(join(root, 'config/registry.yaml'), 'utf8');
    const startLine = text.split('\n').indexOf('customers:') + 1;
    expect(log.runs[0]?.results[0]).toMatchObject({
      ruleId: 'drift/field_added',
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: 'config/registry.yaml' },
            region: { startLine },
          },
        },
      ],
    });
    expect((await run(['scan', '--format', 'sarif', '--fail-on-drift'])).code).toBe(5);
    expect((await run(['scan', '--format', 'sarif', '--json'])).code).toBe(2);
  });

  it('names the flag whose value it does not take, and what it takes', async () => {
    const { run } = await shopProject();
    for (const value of ['0', '1001', 'many']) {
      expect(await run(['scan', '--sample', value])).toMatchObject({
        code: 2,
        stdout: '',
        stderr:
          'Error: The flag --sample does not take this value.\nIt takes a whole number from 1 to 1000.\n',
      });
    }
  });

  it('says with --explain why a field was classified', async () => {
    const { root, ok } = await shopProject();
    sqlite(join(root, 'shop.db'), ADD_COLUMN);
    expect((await ok(['scan', '--explain'])).stdout).toMatch(
      /customers\.phone +phone +medium +name "phone"/,
    );
    await ok(['scan', '--apply']);
    expect((await ok(['scan', '--explain'])).stdout).toContain('No drift.\n\nNothing to explain: ');
  });

  it('shows hostile names on every output without a code that a terminal obeys', async () => {
    const { root, ok } = await shopProject();
    sqlite(
      join(root, 'shop.db'),
      `CREATE TABLE "${HOSTILE}" ("e\u001bmail" TEXT, "=cmd" TEXT); CREATE TABLE "two\nlines" (email TEXT)`,
    );
    for (const flags of [[], ['--explain'], ['--diff'], ['--format', 'sarif']]) {
      const { stdout, stderr } = await ok(['scan', ...flags]);
      expect(obeyed(stdout + stderr), flags.join(' ')).toEqual([]);
      expect(stdout).toContain('two');
    }
    for (const flags of [[], ['--explain'], ['--json']]) {
      const env = { ...terminal(80), NO_COLOR: '1' };
      const { stdout } = await ok(['scan', 'shop', ...flags], { env });
      expect(obeyed(stdout), flags.join(' ')).toEqual([]);
    }
  });

  it('takes no ID where there is one datasource, and names them where there are several', async () => {
    const { ok, run } = await shopProject();
    await ok(['datasource', 'add', 'crm', '--url', 'sqlite:./crm.db']);
    const result = await run(['scan']);
    expect([result.code, result.stderr]).toEqual([2, expect.stringContaining('crm, shop')]);
    expect((await run(['scan', 'shop', '--all'])).code).toBe(2);
    expect((await run(['scan', 'shp'])).stderr).toContain('Did you mean "shop"?');
  });
});

describe('a scan that cannot look', () => {
  it.each([[[]], [['--json']]])('exits 7, never 0 or 5 (flags: %j)', async (flags) => {
    const { ok, run } = await emptyFolder();
    await ok(['datasource', 'add', 'gone', '--url', 'sqlite:./gone.db']);
    const result = await run(['scan', '--fail-on-drift', ...flags]);
    expect(result.code).toBe(7);
    if (flags.length === 0) expect(result.stdout).toBe('');
    else expect(jsonOf(result)).toMatchObject({ error: { code: 'datasource_unreachable' } });
  });

  it.each([
    ['a login that is missing', {}, 'VKIT_DS_FAR_USERNAME'],
    [
      'a URL of another address',
      { VKIT_DS_FAR_URL: 'postgres://u:p@127.0.0.1:2/far' },
      'differ in',
    ],
    ['a URL that cannot be read', { VKIT_DS_FAR_URL: 'postgres://u:p' }, 'VKIT_DS_FAR_URL: The '],
  ])('exits 7 for %s, whatever the flags', async (_, env, said) => {
    const { ok, run } = await emptyFolder();
    await ok(['datasource', 'add', 'far', '--url', 'postgres://127.0.0.1:1/far']);
    for (const flags of [[], ['--fail-on-drift'], ['--all'], ['--all', '--fail-on-drift']]) {
      const result = await run(['scan', ...flags], { env });
      const shown = [result.code, result.stdout, result.stderr];
      expect(shown, flags.join(' ')).toEqual([7, '', expect.stringContaining(said)]);
    }
    const json = await run(['scan', 'far', '--json'], { env });
    expect([json.code, jsonOf(json)]).toMatchObject([
      7,
      { error: { code: 'drift_unknown', details: { code: 'config_invalid' } } },
    ]);
  });

  it('is reported beside the others, which still finish and are applied', async () => {
    const { root, ok, run } = await shopProject();
    sqlite(join(root, 'shop.db'), ADD_COLUMN);
    await ok(['datasource', 'add', 'gone', '--url', 'sqlite:./gone.db']);
    await writeFile(join(root, 'config/datasources/bad.yaml'), 'id: bad\nengin: sqlite\n');
    const json = await run(['scan', '--all', '--fail-on-drift', '--json']);
    expect([json.code, json.stderr]).toEqual([7, '']);
    const { error } = jsonOf<{
      error: { code: string; details: { failures: { id: string }[]; reports: Report[] } };
    }>(json);
    expect(error.code).toBe('drift_unknown');
    expect(error.details.failures.map(({ id }) => id)).toEqual([
      'config/datasources/bad.yaml',
      'gone',
    ]);
    expect(error.details.reports).toMatchObject([{ id: 'shop', drift: true }]);
    const shown = await run(['scan', '--all', '--apply', '--fail-on-drift']);
    expect(shown.code).toBe(7);
    expect(shown.stdout).toContain('+ field: phone');
    expect(shown.stderr).toContain('2 of 3 datasources could not be scanned');
    expect(shown.stderr).toContain('config/datasources/bad.yaml:2:1');
    expect(await readFile(join(root, 'config/registry.yaml'), 'utf8')).toContain('    phone: {');
  });
});

const server = await findPostgres();

describe.skipIf(server.url === null)(`a scan of PostgreSQL ${server.reason ?? ''}`, () => {
  it('reads the login from the environment and finds what was added', async () => {
    await withSchema(server.url ?? '', async ({ url, schema, client }) => {
      await client.query(
        'CREATE TABLE people (id integer PRIMARY KEY, email text, diagnosis text)',
      );
      const { root, ok, run } = await emptyFolder();
      const config = ['--config', JSON.stringify({ schema })];
      await ok(['datasource', 'add', 'hr', '--url', url, ...config]);
      const file = join(root, 'config/datasources/hr.yaml');
      await writeFile(file, `${await readFile(file, 'utf8')}include: ["${schema}.*"]\n`);
      const without = await run(['scan', 'hr']);
      expect([without.code, without.stderr]).toEqual([
        7,
        expect.stringContaining('VKIT_DS_HR_USERNAME'),
      ]);
      const env = {
        VKIT_DS_HR_USERNAME: decodeURIComponent(new URL(url).username),
        VKIT_DS_HR_PASSWORD: decodeURIComponent(new URL(url).password),
      };
      const first = jsonOf<Report>(await ok(['scan', 'hr', '--apply', '--json'], { env }));
      expect(first.findings.filter(({ dataset }) => dataset === 'people')).toHaveLength(4);
      expect((await ok(['datasource', 'test', 'hr'], { env })).stdout).toMatch(
        /✓ hr answers: postgres/i,
      );
      await client.query('ALTER TABLE people ADD COLUMN phone text');
      expect((await run(['scan', '--fail-on-drift'], { env })).code).toBe(5);
    });
  });

  it('exits 7 for a login that is refused, and shows no password', async () => {
    const { ok, run } = await emptyFolder();
    const address = new URL(server.url ?? '');
    await ok([
      'datasource',
      'add',
      'hr',
      '--url',
      `postgres://${address.host}/no_such_${randomBytes(4).toString('hex')}`,
    ]);
    const env = {
      VKIT_DS_HR_USERNAME: 'nobody',
      VKIT_DS_HR_PASSWORD: 'hunter2secret',
      VKIT_DEBUG: '1',
    };
    for (const flags of [[], ['--json']]) {
      const result = await run(['scan', 'hr', '--fail-on-drift', ...flags], { env });
      expect(result.code).toBe(7);
      expect(result.stdout + result.stderr).not.toContain('hunter2secret');
    }
  });
});
