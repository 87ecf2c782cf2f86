import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { shippedPacksDirectory } from '../../src/packs/load-pack-files.js';
import { jsonOf } from '../helpers/run-cli.js';
import { type CliProject, emptyFolder, git, terminal } from './project-fixture.js';

const DATASOURCE = 'id: shop\nengine: sqlite\nenvironment: production\nconfig: {path: ./shop.db}\n';
const TESTS = 'config/tests/people.yaml';
const GOOD = `name: people read what is theirs
cases:
  - name: ids are open
    given: {requester_role: analyst, requester_clearance: low, dataset: customers, fields: [id]}
    expect: {action: allow, policy_id: allow_low_sensitivity}
  - given: {requester_role: analyst, requester_clearance: low, dataset: customers, fields: [id, email]}
    expect: {fields: {id: allow, email: mask}, masks: {email: full}}
`;
const WRONG = GOOD.replace('masks: {email: full}', 'masks: {email: hash}');

type Outcome = {
  passed: boolean;
  total: number;
  failed: number;
  results: { name: string; passed: boolean; line: number; trace?: { policy_id: string }[] }[];
  coverage: { reached: boolean; policies: { share: number }; conditions: { share: number } };
};

const put = (root: string, path: string, text: string) => writeFile(join(root, path), text);

/** A project with the packs' sample registry, never scanned, and these packs. */
async function sampleProject(...packs: string[]): Promise<CliProject> {
  const project = await emptyFolder();
  const { root, ok } = project;
  await mkdir(join(root, 'config/datasources'), { recursive: true });
  await mkdir(join(root, 'config/tests'));
  await put(
    root,
    'vkit.yaml',
    'org: acme\nroles: [admin, analyst, engineer, agent, ai_agent, data_owner, security, finance_manager]\n',
  );
  await put(root, 'config/datasources/shop.yaml', DATASOURCE);
  await cp(
    join(shippedPacksDirectory(), 'sample-registry.yaml'),
    join(root, 'config/registry.yaml'),
  );
  for (const pack of packs) await ok(['policy', 'pack', 'add', pack]);
  return project;
}

describe('policy test', () => {
  it.each([
    [['starter']],
    [['starter', 'ai_safety']],
    [['starter', 'ai_safety', 'financial_compliance']],
  ])('passes the own tests of the last of %s', { timeout: 120_000 }, async (packs) => {
    const { root, ok } = await sampleProject(...packs);
    const tests = join(shippedPacksDirectory(), packs.at(-1) ?? '', 'tests');
    await cp(tests, join(root, 'config/tests'), { recursive: true });
    const outcome = jsonOf<Outcome>(await ok(['policy', 'test', '--json']));
    expect(outcome).toMatchObject({ passed: true, failed: 0 });
    expect(outcome.total).toBeGreaterThan(7);
    expect(outcome.results.every(({ passed }) => passed)).toBe(true);
  });

  it('exits 3 with each failing case, what it expected, what was decided, and the trace', {
    timeout: 120_000,
  }, async () => {
    const { root, ok, run } = await sampleProject('starter');
    await put(root, TESTS, GOOD);
    const passing = await ok(['policy', 'test']);
    expect(passing.stdout).toMatch(/^✓ 2 cases: as expected\n/);
    expect(passing.stdout).toContain('2 of 6 policies exercised (33%)');
    expect(passing.stdout).toContain('not: block_cross_region.dataset_region (never held)');

    await put(root, TESTS, WRONG);
    const failing = await run(['policy', 'test']);
    expect([failing.code, failing.stderr]).toEqual([3, '']);
    expect(failing.stdout).toContain(`✗ ${TESTS}:6:5  people read what is theirs: case 2\n`);
    expect(failing.stdout).toContain('masks: expected {"email":"hash"}, was {"email":"full"}');
    expect(failing.stdout).toMatch(/✓ mask_pii +mask: every condition holds/);
    expect(failing.stdout).toContain('✗ 1 of 2 cases: not as expected');
    expect(failing.stdout).not.toContain('ids are open');

    for (const flag of [['--json'], ['--format', 'json']]) {
      const json = await run(['policy', 'test', ...flag]);
      expect([json.code, json.stderr]).toEqual([3, '']);
      const { results, ...outcome } = jsonOf<Outcome>(json);
      expect(outcome).toMatchObject({ passed: false, total: 2, failed: 1 });
      expect(results.map(({ name, passed, line }) => [name, passed, line])).toEqual([
        ['ids are open', true, 3],
        ['case 2', false, 6],
      ]);
      expect(results[1]?.trace?.map((entry) => entry.policy_id)).toContain('mask_pii');
    }
    await put(
      root,
      TESTS,
      GOOD.replace('policy_id: allow_low_sensitivity', 'ttl: 4h').replace('analyst', 'zookeeper'),
    );
    const strange = await run(['policy', 'test']);
    expect([strange.code, strange.stderr]).toEqual([
      2,
      expect.stringMatching(
        /"zookeeper" is not in vkit\.yaml\. .*Known are admin, analyst, engineer,/,
      ),
    ]);
    await put(root, TESTS, GOOD.replace('policy_id: allow_low_sensitivity', 'ttl: 4h'));
    const long = await run(['policy', 'test']);
    expect(long.stdout).toContain('\n    ttl: expected 4h, was 1h\n');

    await put(root, TESTS, WRONG);
    const again = await run(['policy', 'test', '--json']);
    expect(again.stdout).toBe((await run(['policy', 'test', '--json'])).stdout);
  });

  it('writes JUnit XML in which nothing of a file is markup', async () => {
    const { root, run } = await sampleProject('starter');
    await put(root, TESTS, WRONG.replace('ids are open', '"a <b> & \\"c\\" \\u0007"'));
    const result = await run(['policy', 'test', '--format', 'junit', '--min-coverage', '90']);
    expect([result.code, result.stderr]).toEqual([3, '']);
    const { stdout } = result;
    expect(stdout).toMatch(
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<testsuites name="vkit policy test" tests="3" failures="2" errors="0">\n/,
    );
    expect(stdout).toContain('<testcase name="a &lt;b&gt; &amp; &quot;c&quot; \ufffd"');
    expect(stdout).toContain(
      '<failure message="not as expected: masks" type="policy_tests_failed">',
    );
    expect(stdout).toContain('<testcase name="--min-coverage" classname="coverage">\n<failure');
    const opened = [...stdout.matchAll(/<([a-z]+)[^>]*[^/]>/g)].map(([, tag]) => tag).sort();
    const closed = [...stdout.matchAll(/<\/([a-z]+)>/g)].map(([, tag]) => tag).sort();
    expect(opened).toEqual(closed);
    expect((await run(['policy', 'test', '--format', 'junit', '--json'])).code).toBe(2);
  });

  it('exits 3 when fewer policies or conditions are exercised than --min-coverage wants', async () => {
    const { root, ok, run } = await sampleProject('starter');
    await put(root, TESTS, GOOD);
    await ok(['policy', 'test', '--min-coverage', '0']);
    const low = await run(['policy', 'test', '--min-coverage', '90']);
    expect(low.code).toBe(3);
    expect(low.stdout).toContain('Less than the 90% of --min-coverage.');
    const json = await run(['policy', 'test', '--min-coverage', '90', '--json']);
    expect(jsonOf<Outcome>(json)).toMatchObject({
      passed: false,
      failed: 0,
      coverage: { reached: false },
    });
    expect((await run(['policy', 'test', '--min-coverage', '101'])).code).toBe(2);
  });

  it('exits 2 with every problem of every file, and runs none of them', async () => {
    const { root, run } = await sampleProject('starter');
    await put(root, TESTS, GOOD.replace('dataset: customers', 'dataset: custmers'));
    await put(
      root,
      'config/tests/other.yaml',
      'name: other\ncases: [{given: {dataset: customers}, expects: {}}]\n',
    );
    const result = await run(['policy', 'test']);
    expect([result.code, result.stdout]).toEqual([2, '']);
    expect(result.stderr).toContain(`${TESTS}:4:64: The dataset "custmers"`);
    expect(result.stderr).toContain('Did you mean "customers"?');
    expect(result.stderr).toMatch(
      /config\/tests\/other\.yaml:2:\d+: .*\(unknown_key\) Did you mean "expect"\?/,
    );
    const json = jsonOf<{ error: { code: string; details: { problems: object[] } } }>(
      await run(['policy', 'test', '--json']),
    );
    expect(json.error.code).toBe('invalid_input');
    expect(json.error.details.problems).toHaveLength(3);
  });

  it('exits 2 where there is nothing to test, so that no build passes for want of tests', async () => {
    const { root, run } = await sampleProject('starter');
    const none = await run(['policy', 'test']);
    expect([none.code, none.stdout]).toEqual([2, '']);
    expect(none.stderr).toContain('There are no policy tests in config/tests/.');
    expect((await run(['policy', 'test', 'nothing.yaml'])).stderr).toContain(
      'There is no such file',
    );
    await put(root, TESTS, GOOD);
    await put(root, 'config/policies/a.yaml', 'id: a\naction: {alow: true}\n');
    const broken = await run(['policy', 'test']);
    expect([broken.code, broken.stderr]).toEqual([
      2,
      expect.stringContaining('config/policies/a.yaml:2'),
    ]);
  });

  it('takes files and folders, and a bundle without a project', { timeout: 120_000 }, async () => {
    const { root, ok, run } = await sampleProject('starter');
    await put(root, TESTS, WRONG);
    await put(root, 'good.yaml', GOOD);
    expect(jsonOf<Outcome>(await ok(['policy', 'test', 'good.yaml', '--json'])).total).toBe(2);
    const both = jsonOf<Outcome>(
      await run(['policy', 'test', 'good.yaml', 'config/tests', '--json']),
    );
    expect([both.total, both.failed]).toEqual([4, 1]);

    await git(root, 'init', '-q');
    await git(root, 'add', '.');
    await git(root, 'commit', '-q', '-m', 'Policies');
    await ok(['policy', 'bundle', '--unsigned']);
    const alone = await emptyFolder();
    const file = join(alone.root, 'bundle.json');
    const text = await readFile(join(root, 'dist/policy_bundle.json'), 'utf8');
    await writeFile(file, text);
    await put(alone.root, 'good.yaml', GOOD);
    await alone.ok(['policy', 'test', 'good.yaml', '--bundle', 'bundle.json']);
    expect((await alone.run(['policy', 'test', '--bundle', 'bundle.json'])).code).toBe(2);
    await writeFile(file, text.replace('"sequence": 1', '"sequence": 2'));
    const changed = await alone.run(['policy', 'test', 'good.yaml', '--bundle', 'bundle.json']);
    expect([changed.code, changed.stderr]).toEqual([2, expect.stringContaining('checksum')]);
  });
});

type Explained = {
  decision: {
    action: string;
    policy_id: string | null;
    denial: string | null;
    masks: object;
    bundle_checksum: string | null;
  };
  requester: { roles: string[] };
  references: { dataset: string; field: string | null }[];
  unknown: string[];
  trace: { policy_id: string; matched: string; near_miss: boolean; failed: { part: string }[] }[];
};

describe('policy explain', () => {
  const explain = (...args: string[]) => ['policy', 'explain', ...args];

  it('exits 0, 3 or 4 with what is decided, and names near misses first', {
    timeout: 120_000,
  }, async () => {
    const { ok, run } = await sampleProject('starter');
    const query = ['--dataset', 'customers', '--clearance', 'medium', '--fields'];
    const masked = await ok(explain(...query, 'id,email', '--role', 'analyst'));
    expect(masked.stdout).toMatch(/^Allowed, with masks\n {2}policy +mask_pii\n/);
    expect(masked.stdout).toMatch(
      /\nFields\n {2}customers \(its rows\) +allow.*\n {2}email +mask full +mask_pii.*\n {2}id +allow +allow_low/,
    );
    expect(masked.stdout).toMatch(/\n {2}✓ mask_pii +mask on email: every condition holds\n/);
    const narrow = await ok(explain(...query, 'id,email', '--role', 'analyst'), {
      env: { ...terminal(100), NO_COLOR: '1' },
    });
    expect(Math.max(...narrow.stdout.split('\n').map((line) => line.length))).toBeLessThan(101);

    const waiting = await run(explain(...query, 'churn_score', '--role', 'analyst'));
    expect([waiting.code, waiting.stderr]).toEqual([4, '']);
    expect(waiting.stdout).toMatch(/^Approval needed\n/);
    expect(waiting.stdout).toMatch(/1 person of \w+ \(approve_analysts_in_production/);

    const denied = await run(explain(...query, 'churn_score', '--role', 'engineer'));
    expect(denied.code).toBe(3);
    expect(denied.stdout).toMatch(/^Denied\n {2}policy +none matches/);
    expect(denied.stdout).toMatch(
      /Near misses: one thing failed\n {2}approve_analysts_in_production \(require_approval\) {2}requester_role: is engineer, wanted analyst\n/,
    );
    const json = await run(explain(...query, 'churn_score', '--role', 'engineer', '--json'));
    expect([json.code, json.stderr]).toEqual([3, '']);
    const { decision, trace } = jsonOf<Explained>(json);
    expect(decision).toMatchObject({ action: 'deny', policy_id: null, bundle_checksum: null });
    expect(trace).toHaveLength(6);
    expect(trace).toContainEqual(
      expect.objectContaining({
        policy_id: 'approve_analysts_in_production',
        matched: 'no',
        near_miss: true,
        failed: [expect.objectContaining({ part: 'requester_role' })],
      }),
    );
  });

  it('takes a query from --aql, a file or stdin, and decides all that it touches', {
    timeout: 120_000,
  }, async () => {
    const { root, ok, run } = await sampleProject('starter');
    const aql = {
      source_table: 'customers',
      columns: ['*'],
      filters: [{ field: 'country', operator: 'eq', value: 'secret-value' }],
    };
    const who = ['--role', 'engineer', '--clearance', 'low', '--json'];
    const text = JSON.stringify(aql);
    await put(root, 'query.json', text);
    const first = await ok(explain('--aql', text, ...who, '--at', '2026-03-02T10:00:00Z'));
    const { references, decision } = jsonOf<Explained>(first);
    expect(references.map(({ field }) => field)).toEqual([null, 'country', 'email', 'id']);
    expect(decision).toMatchObject({
      action: 'mask',
      masks: { 'customers.email': { method: 'full' } },
    });
    expect(first.stdout).not.toContain('secret-value');
    const at = ['--at', '2026-03-02T12:00:00+02:00'];
    expect((await ok(explain('--file', 'query.json', ...who, ...at))).stdout).toBe(first.stdout);
    expect((await ok(explain(...who, ...at), { stdin: text })).stdout).toBe(first.stdout);

    const join = {
      ...aql,
      joins: [
        {
          type: 'INNER',
          table: 'payments',
          left_field: 'customers.id',
          right_field: 'payments.card_number',
        },
      ],
      columns: ['customers.id'],
      filters: [],
    };
    const joined = await run(explain('--aql', JSON.stringify(join), ...who));
    expect([joined.code, jsonOf<Explained>(joined).decision.policy_id]).toEqual([
      3,
      'deny_high_sensitivity_without_clearance',
    ]);
  });

  it('denies what is not in the registry, and names what was meant', {
    timeout: 120_000,
  }, async () => {
    const { run } = await sampleProject('starter');
    const result = await run(
      explain('--dataset', 'customers', '--fields', 'id,emial', '--role', 'analyst', '--json'),
    );
    expect(result.code).toBe(3);
    const { decision, unknown } = jsonOf<Explained>(result);
    expect(decision.denial).toBe('unknown_field');
    expect(unknown).toEqual(['emial']);
    const text = async (...query: string[]) =>
      (await run(explain(...query, '--role', 'analyst'))).stdout;
    expect(await text('--dataset', 'customers', '--fields', 'id,emial')).toContain(
      'not in the registry  emial (did you mean email?)\n',
    );
    const dataset = await text('--dataset', 'custmers');
    expect(dataset).toContain('not in the registry  custmers (did you mean customers?)\n');
    expect(dataset).not.toContain('Policies');
    expect(await text('--dataset', 'zzzzzzzz')).toContain('not in the registry  zzzzzzzz\n');
  });

  it('lets an allow rest on a purpose unless that is only said', async () => {
    const { root, run } = await sampleProject();
    await mkdir(join(root, 'config/policies'), { recursive: true });
    await put(
      root,
      'config/policies/a.yaml',
      'id: a\ncontext: {purpose: support, requester_role: ai_agent}\naction: {allow: true}\n',
    );
    const query = explain('--dataset', 'customers', '--fields', 'id', '--purpose', 'support');
    expect((await run([...query, '--agent'])).code).toBe(0);
    expect((await run(query)).code).toBe(3);
    expect((await run([...query, '--agent', '--purpose-unassigned'])).code).toBe(3);
  });

  it('exits 2 for what it cannot decide: no query, a clearance or a moment that does not exist', {
    timeout: 120_000,
  }, async () => {
    const { run } = await sampleProject('starter');
    const query = ['--dataset', 'customers', '--fields', 'id'];
    for (const [args, message] of [
      [[], '--aql is missing'],
      [[], '--dataset NAME --fields'],
      [['--aql', '{"source": "x"}'], 'not valid AQL'],
      [[...query, '--clearance', 'hihg'], 'low, medium, high, admin'],
      [[...query, '--at', 'tomorrow'], '--at'],
      [[...query, '--remote', '--bundle', 'x.json'], '--bundle'],
      [[...query, '--remote', '--dir', '.'], '--dir'],
      [[...query, '--user', 'ana@example.com'], '--remote'],
      [[...query, '--remote', '--user', 'ana@example.com', '--role', 'analyst'], '--role'],
      [[...query, '--endpoint', 'http://localhost:1'], '--endpoint needs --remote'],
      [[...query, '--file', 'x.json'], '--file'],
    ] as const) {
      const result = await run(explain(...args));
      expect([result.code, result.stdout, result.stderr]).toEqual([
        2,
        '',
        expect.stringContaining(message),
      ]);
    }
    const strange = await run(explain(...query, '--role', 'analist', '--clearance', 'low'));
    expect(strange.stderr).toContain(
      'The role "analist" is not in vkit.yaml. Did you mean "analyst"?',
    );
  });
});
