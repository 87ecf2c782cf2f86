import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BundleComparison } from '../../src/bundle/compare/model.js';
import { compileBundle } from '../../src/bundle/compile-bundle.js';
import type { Policy } from '../../src/policy/model.js';
import { sampleInput } from '../bundle/sample.js';
import { jsonOf } from '../helpers/run-cli.js';
import { type CliProject, emptyFolder } from './project-fixture.js';

const TIMEOUT = { timeout: 60_000 };

/** A folder with the bundles `old.json`, `wide.json` (an analyst sees the email) and `narrow.json`. */
async function bundles(): Promise<CliProject> {
  const project = await emptyFolder();
  const { policies, ...input } = sampleInput();
  const write = (name: string, list: readonly Policy[]) => {
    // One that is over is compared too: what it decided is not forgotten.
    const bundle = compileBundle({ ...input, policies: list, expiresAt: '2020-01-01T00:00:00Z' });
    return writeFile(join(project.root, name), JSON.stringify(bundle));
  };
  const others = policies.filter(({ id }) => id !== 'mask_pii');
  const pii = policies.filter(({ id }) => id === 'mask_pii');
  await write('old.json', policies);
  await write('wide.json', [
    ...others,
    ...pii.map(({ masking: _masking, ...policy }) => ({
      ...policy,
      action: 'allow' as const,
      when: { requester_role: 'analyst' },
    })),
  ]);
  await write('narrow.json', [
    ...others,
    ...pii.map((policy) => ({ ...policy, masking: { default_method: 'nullify' as const } })),
  ]);
  return project;
}

describe('policy diff', () => {
  it('shows what widens and narrows for whom, and exits 0', TIMEOUT, async () => {
    const { ok } = await bundles();
    const shown = await ok(['policy', 'diff', 'old.json', 'wide.json']);
    expect([shown.stdout, shown.stderr]).toEqual([
      [
        'Widening',
        '  + customers.email  mask full → allow',
        '      role analyst; production',
        '',
        'Narrowing',
        '  - customers.email  mask full → deny',
        '      role (any other); production',
        '',
        'Policies changed: mask_pii',
        '1 change widens, 1 narrows.',
        '',
      ].join('\n'),
      '',
    ]);
  });

  it('prints the payload itself with --json, and names both bundles in it', TIMEOUT, async () => {
    const { ok, root } = await bundles();
    const result = await ok(['policy', 'diff', 'old.json', 'wide.json', '--json']);
    const payload = jsonOf<BundleComparison>(result);
    const { bundle } = JSON.parse(await readFile(join(root, 'wide.json'), 'utf8'));
    expect(payload).toMatchObject({
      a: { name: 'old.json', source: 'file', org: 'acme', sequence: 412 },
      b: { name: 'wide.json', checksum: bundle.checksum },
      summary: { widening: 1, changed: 0, narrowing: 1, references: 5, not_compared: 0 },
      policies: { added: [], removed: [], changed: ['mask_pii'] },
      truncated: false,
      warnings: [],
    });
    expect(payload.changes[0]).toEqual({
      direction: 'widening',
      kind: 'decision',
      dataset: 'customers',
      field: 'email',
      from: { action: 'mask', mask: { method: 'full' } },
      to: { action: 'allow', mask: null },
      roles: [['analyst']],
      clearances: null,
      requester_regions: null,
      purposes: null,
      times: null,
      together_with: null,
      environment: 'production',
      dataset_region: 'US',
      moved: null,
      policies: { from: ['mask_pii'], to: ['mask_pii'] },
    });
    expect(
      jsonOf(await ok(['policy', 'diff', 'old.json', 'wide.json', '--format', 'json'])),
    ).toEqual(payload);
  });

  it(
    'exits 3 with --fail-on-widening where something widens, payload printed, and else 0',
    TIMEOUT,
    async () => {
      const { run, ok } = await bundles();
      const wide = ['policy', 'diff', 'old.json', 'wide.json', '--fail-on-widening'];
      const shown = await run(wide);
      expect([shown.code, shown.stderr]).toEqual([3, '']);
      expect(shown.stdout).toContain('mask full → allow');
      const json = await run([...wide, '--json']);
      expect([json.code, jsonOf<BundleComparison>(json).summary.widening]).toEqual([3, 1]);
      const markdown = await run([...wide, '--format', 'markdown']);
      expect([markdown.code, markdown.stdout.slice(0, 18)]).toEqual([3, '## Policy changes\n']);
      await ok(['policy', 'diff', 'old.json', 'narrow.json', '--fail-on-widening']);
    },
  );

  it(
    'exits 3 with --fail-on-widening where a datasource is another one or the expiry is later',
    TIMEOUT,
    async () => {
      const { root, run, ok } = await bundles();
      const { policies, ...input } = sampleInput();
      const write = (name: string, change: Partial<typeof input>) =>
        writeFile(
          join(root, name),
          JSON.stringify(
            compileBundle({ ...input, policies, expiresAt: '2020-01-01T00:00:00Z', ...change }),
          ),
        );
      const elsewhere = input.datasources.map((one) => ({
        ...one,
        config: { ...one.config, host: 'elsewhere.example.com' },
      }));
      await write('elsewhere.json', { datasources: elsewhere });
      await write('longer.json', { expiresAt: '2030-01-01T00:00:00Z' });
      await write('shorter.json', { expiresAt: '2019-01-01T00:00:00Z' });
      await write('older.json', { sequence: 3 });
      const failing = (name: string) => ['policy', 'diff', 'old.json', name, '--fail-on-widening'];
      const moved = await run(failing('elsewhere.json'));
      expect([moved.code, moved.stdout]).toEqual([
        3,
        expect.stringMatching(
          /^ {2}± datasource production_db {2}config\.host .* → elsewhere\.example\.com$/m,
        ),
      ]);
      const longer = await run([...failing('longer.json'), '--json']);
      expect([longer.code, jsonOf<BundleComparison>(longer)]).toMatchObject([
        3,
        {
          summary: { widening: 1 },
          bundle_changes: [
            {
              kind: 'bundle',
              name: null,
              direction: 'widening',
              from: { expires_at: '2020-01-01T00:00:00Z' },
              to: { expires_at: '2030-01-01T00:00:00Z' },
            },
          ],
        },
      ]);
      await ok(failing('shorter.json'));
      const older = await ok(failing('older.json'));
      expect(older.stdout).toContain('Bundle: sequence 412 → 3\n');
    },
  );

  it('says that nothing changes between a bundle and itself', TIMEOUT, async () => {
    const { ok } = await bundles();
    const same = await ok(['policy', 'diff', 'old.json', 'old.json', '--fail-on-widening']);
    expect(same.stdout).toBe('No decision changes.\n');
  });

  it(
    'refuses a bundle that was changed, a file that is none, and two formats',
    TIMEOUT,
    async () => {
      const { root, run } = await bundles();
      const text = await readFile(join(root, 'wide.json'), 'utf8');
      await writeFile(join(root, 'tampered.json'), text.replace('"allow"', '"deny"'));
      await writeFile(join(root, 'none.json'), '{}');
      const codeOf = async (args: readonly string[]) => {
        const result = await run(['policy', 'diff', ...args, '--json']);
        return [result.code, jsonOf<{ error: { code: string } }>(result).error.code];
      };
      expect(await codeOf(['old.json', 'tampered.json'])).toEqual([2, 'bundle_checksum']);
      expect(await codeOf(['none.json', 'old.json'])).toEqual([2, 'bundle_invalid']);
      expect(await codeOf(['old.json', 'missing.json'])).toEqual([2, 'not_found']);
      expect(await codeOf(['old.json', 'wide.json', '--format', 'markdown'])).toEqual([2, 'usage']);
    },
  );

  it(
    'asks the server for a version, and for the active bundle where one is not named',
    TIMEOUT,
    async () => {
      const { run } = await bundles();
      const env = { VKIT_API_URL: 'http://127.0.0.1:1' };
      for (const args of [['v3', 'old.json'], ['old.json', 'active'], ['old.json'], []]) {
        const result = await run(['policy', 'diff', ...args], { env });
        expect([result.code, result.stderr]).toEqual([6, expect.stringContaining('vkit login')]);
      }
    },
  );

  it(
    'warns on stderr of what it did not compare, and fails where it is to fail',
    TIMEOUT,
    async () => {
      const { root, run } = await bundles();
      const values = Array.from({ length: 250 }, (_, index) => `value_${index}`);
      const { policies, ...input } = sampleInput();
      const many: Policy = {
        id: 'many',
        match: {},
        when: { requester_role: values, requester_region: values },
        action: 'deny',
        priority: 1,
      };
      const expiresAt = '2020-01-01T00:00:00Z';
      const bundle = compileBundle({ ...input, policies: [...policies, many], expiresAt });
      await writeFile(join(root, 'many.json'), JSON.stringify(bundle));
      const shown = await run(['policy', 'diff', 'old.json', 'many.json']);
      expect(shown.code).toBe(0);
      expect(shown.stdout).toMatch(/^No decision changes in what could be compared\.$/m);
      const result = await run([
        'policy',
        'diff',
        'old.json',
        'many.json',
        '--json',
        '--fail-on-widening',
      ]);
      expect(result.code).toBe(3);
      expect(result.stderr).toContain('Warning: Not compared, ');
      expect(result.stderr).toContain('customers.email');
      expect(jsonOf<BundleComparison>(result)).toMatchObject({ truncated: true, changes: [] });
    },
  );
});
