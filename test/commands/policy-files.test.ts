import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { jsonOf } from '../helpers/run-cli.js';
import { type CliProject, git, shopProject, sqlite } from './project-fixture.js';

type Finding = { severity: string; file: string; line: number; column: number; code: string };
type SarifRun = {
  tool: { driver: { rules: object[] } };
  results: { message: { text: string } }[];
};
type Failure = { error: { code: string; details: { problems: Finding[] } } };

const write = (root: string, path: string, text: string) => writeFile(join(root, path), text);

/** A scanned project with the starter pack and a key, committed. */
async function committed(): Promise<CliProject> {
  const project = await shopProject();
  await project.ok(['policy', 'pack', 'add', 'starter']);
  await project.ok(['keys', 'generate']);
  await git(project.root, 'init', '-q');
  await git(project.root, 'add', '.');
  await git(project.root, 'commit', '-q', '-m', 'Policies');
  return project;
}

describe('policy validate', () => {
  it('exits 2 with every finding, each with its file, line, column and code', async () => {
    const { root, run } = await shopProject();
    await write(
      root,
      'config/policies/a.yaml',
      'id: a\nmatch: {dataset: custmers}\naction: {deny: true, reason: no}\n',
    );
    await write(root, 'config/policies/b.yaml', 'id: b\npriorty: 3\naction: {mask: true}\n');
    const shown = await run(['policy', 'validate']);
    expect(shown.code).toBe(2);
    expect(shown.stdout).toMatch(/^config\/policies\/a\.yaml:2:\d+ {2}error {2}.*custmers/m);
    expect(shown.stdout).toMatch(/^config\/policies\/b\.yaml:2:1 {2}error {2}.*\(unknown_key\)$/m);
    expect(shown.stdout).toContain('Did you mean priority?');
    expect(shown.stderr).toMatch(/^Error: The project has 2 errors, 1 warning\.\n$/);
    const json = await run(['policy', 'validate', '--json']);
    expect([json.code, json.stderr]).toEqual([2, '']);
    const { error } = jsonOf<Failure>(json);
    expect(error.code).toBe('invalid_policy');
    for (const problem of error.details.problems) {
      expect(problem).toMatchObject({
        line: expect.any(Number),
        column: expect.any(Number),
        code: expect.any(String),
      });
    }
    expect(error.details.problems.filter(({ severity }) => severity === 'error')).toHaveLength(2);
  });

  it('says where the registry begins a dataset that it complains of', async () => {
    const { root, run } = await shopProject();
    const path = 'config/registry.yaml';
    const registry = await readFile(join(root, path), 'utf8');
    const more =
      '"stray one":\n  datasource: nowhere\n  fields: {id: {type: integer, sensitivity: low}}\n';
    await write(root, path, registry + more);
    const { error } = jsonOf<Failure>(await run(['policy', 'validate', '--json']));
    const found = error.details.problems.filter(({ file }) => file === path);
    const line = registry.split('\n').length;
    expect(found.map(({ code, line, column }) => [code, line, column])).toEqual([
      ['unknown_datasource', line, 1],
      ['not_scanned', line, 1],
    ]);
  });

  it('says of a column that is gone that it is, and of no scan that would bring it back', async () => {
    const { root, ok } = await shopProject();
    sqlite(join(root, 'shop.db'), 'ALTER TABLE orders DROP COLUMN total; DROP TABLE customers');
    await ok(['scan', 'shop', '--apply']);
    const { stdout } = await ok(['policy', 'validate']);
    expect(stdout).toContain('warning  total of "orders" is gone from the database, and is left');
    expect(stdout).toContain('warning  The dataset "customers" is gone from the database, and is');
    expect(stdout).not.toContain('not_scanned');
  });

  it('writes SARIF that points into the repository, with nothing in it that is markup', async () => {
    const { root, run } = await shopProject();
    await git(root, 'init', '-q');
    const folder = join(root, 'policies of ours');
    await mkdir(join(folder, 'config/policies'), { recursive: true });
    await write(folder, 'vkit.yaml', 'org: acme\n');
    const text =
      'id: a\ndescription: x\nmatch: {dataset: "[a](x) \\u001b[31m"}\naction: {allow: true}\n';
    await write(folder, 'config/policies/a.yaml', text);
    const shown = await run(['policy', 'validate', '--dir', folder, '--format', 'sarif']);
    expect(shown.code).toBe(2);
    const { version, runs } = jsonOf<{ version: string; runs: SarifRun[] }>(shown);
    expect(version).toBe('2.1.0');
    const [first] = runs;
    expect(first?.tool.driver.rules).toEqual([
      { id: 'policy/unknown_dataset', shortDescription: { text: 'Unknown dataset' } },
    ]);
    expect(first?.results).toMatchObject([
      {
        ruleId: 'policy/unknown_dataset',
        ruleIndex: 0,
        level: 'error',
        locations: [
          {
            physicalLocation: {
              artifactLocation: { uri: 'policies%20of%20ours/config/policies/a.yaml' },
              region: { startLine: 3 },
            },
          },
        ],
      },
    ]);
    const message = first?.results[0]?.message.text ?? '';
    expect(message).toContain('\\[a\\](x)');
    expect(message).not.toContain('\u001b');
    const both = await run(['policy', 'validate', '--json', '--format', 'sarif']);
    expect(both.code).toBe(2);
  });

  it('takes warnings for errors with --strict only', async () => {
    const { root, ok, run } = await shopProject();
    await write(root, 'config/policies/a.yaml', 'id: a\naction: {deny: true, reason: no}\n');
    const lenient = await ok(['policy', 'validate', '--json']);
    expect(jsonOf(lenient)).toMatchObject({
      valid: true,
      policies: 1,
      findings: [{ code: 'missing_description' }],
    });
    expect((await run(['policy', 'validate', '--strict'])).code).toBe(2);
    expect((await run(['policy', 'validate', '--strict', '--format', 'json'])).code).toBe(2);
  });

  it('shows what a file holds without a code that a terminal obeys', async () => {
    const { root, run } = await shopProject();
    await write(
      root,
      'config/policies/a.yaml',
      'id: a\n"\\e[2Jx": 1\naction: {deny: true, reason: no}\n',
    );
    const result = await run(['policy', 'validate']);
    expect(result.code).toBe(2);
    expect(result.stdout).toContain('\\u001b[2Jx');
    expect(result.stdout + result.stderr).not.toContain('\u001b');
  });
});

describe('policy bundle, and the check of one', () => {
  it('verifies what it wrote, and says 3 to a changed bundle and to another key', {
    timeout: 120_000,
  }, async () => {
    const { root, ok, run } = await committed();
    const made = jsonOf<{ key_id: string; checksum: string; sequence: number }>(
      await ok(['policy', 'bundle', '--json']),
    );
    expect(made).toMatchObject({
      sequence: 1,
      policies: 6,
      datasets: 2,
      org: 'acme',
      dirty: false,
    });
    const path = 'dist/policy_bundle.json';
    const check = ['policy', 'validate', '--bundle', path];
    const env = { VKIT_PUBLIC_KEY: '.vkit/keys/vkit_pub.pem' };
    expect(jsonOf(await ok([...check, '--json'], { env }))).toMatchObject({
      verified: true,
      signature: 'verified',
      checksum: made.checksum,
      key_id: made.key_id,
      findings: [],
    });
    expect(jsonOf(await ok([...check, '--json']))).toMatchObject({ signature: 'not_checked' });
    await ok(['keys', 'generate', '--out-dir', '.vkit/keys/other']);
    const other = ['--key', '.vkit/keys/other/vkit_pub.pem'];
    expect((await run([...check, ...other])).code).toBe(3);
    const refused = await run([...check, ...other, '--json']);
    expect([refused.code, jsonOf(refused)]).toEqual([
      3,
      expect.objectContaining({ verified: false, signature: 'refused' }),
    ]);

    const text = await readFile(join(root, path), 'utf8');
    await write(root, path, text.replace('"sequence": 1', '"sequence": 2'));
    for (const more of [{}, { env }]) {
      const changed = await run(check, more);
      expect([changed.code, changed.stderr]).toEqual([3, '']);
      expect(changed.stdout).toContain('(bundle_checksum)');
    }
    await write(root, path, text.replace('"mask_pii"', '"mask_pii", "extra": 1'));
    const invalid = await run([...check, '--json']);
    expect(invalid.code).toBe(2);
    const [problem] = jsonOf<Failure>(invalid).error.details.problems;
    expect(problem).toMatchObject({ file: path, line: expect.any(Number) });
    expect(problem?.line).toBeGreaterThan(1);
    expect((await run(['policy', 'validate', '--bundle', 'nothing.json'])).code).toBe(2);
  });

  it('takes the key of --key, VKIT_PRIVATE_KEY or the project, and signs nothing by accident', {
    timeout: 120_000,
  }, async () => {
    const { root, ok, run } = await committed();
    const id = async (args: string[], options = {}) =>
      jsonOf<{ key_id: string | null }>(await ok(['policy', 'bundle', '--json', ...args], options))
        .key_id;
    const own = await id([]);
    const other = jsonOf<{ id: string }>(
      await ok(['keys', 'generate', '--out-dir', '.vkit/keys/other', '--json']),
    ).id;
    const file = '.vkit/keys/other/vkit_priv.pem';
    expect(await id(['--key', file])).toBe(other);
    expect(await id([], { env: { VKIT_PRIVATE_KEY: file } })).toBe(other);
    expect(own).not.toBe(other);
    const project = join(root, '.vkit/keys/vkit_priv.pem');
    await writeFile(project, '');
    expect((await run(['policy', 'bundle'])).code).toBe(2);
    await rm(project);
    const without = await run(['policy', 'bundle']);
    expect(without.code).toBe(2);
    for (const way of ['vkit keys generate', '--key', 'VKIT_PRIVATE_KEY', '--unsigned']) {
      expect(without.stderr).toContain(way);
    }
    const unsigned = await ok(['policy', 'bundle', '--unsigned']);
    expect(unsigned.stderr).toContain('Warning: The bundle is not signed');
    expect((await run(['policy', 'bundle', '--unsigned', '--key', file])).code).toBe(2);
    const key = ['--key', '.vkit/keys/vkit_pub.pem'];
    expect(
      (await run(['policy', 'validate', '--bundle', 'dist/policy_bundle.json', ...key])).code,
    ).toBe(3);
  });

  it('refuses uncommitted changes unless it is told to take them', async () => {
    const { root, ok, run } = await committed();
    await write(
      root,
      'config/policies/a.yaml',
      'id: a\ndescription: x\naction: {deny: true, reason: no}\n',
    );
    const refused = await run(['policy', 'bundle', '--json']);
    expect([refused.code, jsonOf<Failure>(refused).error.code]).toEqual([2, 'bundle_dirty']);
    const taken = await ok(['policy', 'bundle', '--allow-dirty', '--json']);
    expect(jsonOf(taken)).toMatchObject({ dirty: true, policies: 7 });
    expect(taken.stderr).toContain('uncommitted changes: config/policies/a.yaml');
    const flags = ['--sequence', '7', '--org', 'other', '--ref', 'main', '--expires', '30d'];
    const more = ['policy', 'bundle', '--allow-dirty', '--out', 'x.json', '--json', ...flags];
    expect(jsonOf(await ok(more))).toMatchObject({
      sequence: 7,
      org: 'other',
      file: join(root, 'x.json'),
    });
    expect((await run(['policy', 'bundle', '--sequence', '-1'])).code).toBe(2);
  });
});
