import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BundleComparison } from '../../src/bundle/compare/model.js';
import type { ReplayAnswer } from '../../src/client/wire.js';
import { ADMIN, type LiveServer, liveServer } from '../helpers/live-server.js';
import { type CliResult, jsonOf } from '../helpers/run-cli.js';
import { git } from './project-fixture.js';

const TIMEOUT = { timeout: 120_000 };

/** What a project of the server's organisation has in its files; the first policy is changed later. */
const FILES = {
  'vkit.yaml': 'org: default\nroles: [analyst, engineer]\nrepo: example.test/default/policies\n',
  'config/datasources/shop.yaml':
    'id: shop\nengine: sqlite\nenvironment: production\nregion: US\nconfig: {path: ./shop.db}\n',
  'config/registry.yaml': `customers:
  datasource: shop
  fields:
    id: {type: integer, sensitivity: low, category: internal}
    email: {type: text, sensitivity: low, category: pii}
`,
  'config/policies/analysts_read.yaml': `id: analysts_read
description: Analysts read customers
match: {dataset: customers}
context: {requester_role: analyst}
action: {allow: true}
`,
  'config/policies/mask_pii.yaml': `id: mask_pii
description: PII is masked
match: {fields: {category: pii}}
action: {mask: true, mask_type: full}
`,
};

let server: LiveServer;
let root: string;

/** A command of the administrator in the project. */
const vkit = (...args: string[]): Promise<CliResult> => server.as(ADMIN, args, { cwd: root });

const put = (path: string, text: string) => writeFile(join(root, path), text);

async function commit(): Promise<void> {
  await git(root, 'add', '.');
  await git(root, 'commit', '-q', '-m', 'Policies');
}

async function bundle(): Promise<void> {
  const key = join(server.folder, 'keys', 'vkit_priv.pem');
  const result = await vkit('policy', 'bundle', '--key', key);
  expect([result.code, result.stderr]).toEqual([
    0,
    expect.stringContaining('Next: vkit policy deploy\n'),
  ]);
}

beforeAll(async () => {
  server = await liveServer();
  root = join(server.folder, 'project');
  for (const folder of ['datasources', 'policies']) {
    await mkdir(join(root, 'config', folder), { recursive: true });
  }
  for (const [path, text] of Object.entries(FILES)) await put(path, text);
  await put('.gitignore', 'dist/\n');
  await git(root, 'init', '-q');
  await commit();
  await bundle();
}, 120_000);

afterAll(async () => {
  await server?.stop();
});

describe('policy diff of a project and a server', () => {
  it('says that nothing is active before the first deployment', TIMEOUT, async () => {
    const result = await vkit('policy', 'diff', '--json');
    expect([result.code, jsonOf<{ error: { code: string } }>(result).error.code]).toEqual([
      2,
      'not_found',
    ]);
  });

  it('shows no change while the active bundle is the one of the files', TIMEOUT, async () => {
    const deployed = await vkit('policy', 'deploy');
    expect(deployed.code).toBe(0);
    const result = await vkit('policy', 'diff', '--fail-on-widening');
    expect([result.code, result.stdout]).toEqual([0, 'No decision changes.\n']);
  });

  it('compares what the files have become with what the server enforces', TIMEOUT, async () => {
    const path = 'config/policies/analysts_read.yaml';
    const text = await readFile(join(root, path), 'utf8');
    await put(path, text.replace('requester_role: analyst', 'requester_role: [analyst, engineer]'));
    await commit();
    await bundle();
    const shown = await vkit('policy', 'diff', '--fail-on-widening');
    expect(shown.code).toBe(3);
    expect(shown.stdout).toMatch(
      /^Widening\n {2}\+ customers\.id.* {2}deny → allow\n {6}role engineer; production\n/,
    );
    expect(shown.stdout).toContain('Policies changed: analysts_read');

    const json = await vkit('policy', 'diff', '--json');
    expect(json.code).toBe(0);
    const local = JSON.parse(await readFile(join(root, 'dist/policy_bundle.json'), 'utf8'));
    const comparison = jsonOf<BundleComparison & { a: object; b: object }>(json);
    expect(comparison).toMatchObject({
      a: { name: 'v1', source: 'server', org: 'default', sequence: 1 },
      b: {
        name: 'dist/policy_bundle.json',
        source: 'file',
        sequence: 2,
        checksum: local.bundle.checksum,
      },
      summary: { narrowing: 0, changed: 0, not_compared: 0 },
    });
    expect(comparison.summary.widening).toBeGreaterThan(0);

    // What was asked for is decided again on the server, for people, programs and pull requests.
    await server.account('eva@example.com', ['engineer']);
    const aql = JSON.stringify({ source_table: 'customers', columns: ['id'] });
    expect((await server.as('eva@example.com', ['request', '--aql', aql])).code).toBe(3);
    const replayed = await vkit('policy', 'diff', '--replay');
    expect(replayed.code).toBe(0);
    expect(replayed.stdout).toContain('+ 1× customers: denied (unknown_field) → granted');
    expect(replayed.stdout).toContain('by eva@example.com');
    expect(replayed.stdout).toMatch(/Of 1 requests since .*: 1 get more/);
    const facts = jsonOf<{ replay: ReplayAnswer }>(
      await vkit('policy', 'diff', '--replay', '--replay-limit', '10', '--json'),
    );
    expect(facts.replay.summary).toMatchObject({ widening: 1, replayed: 1 });
    const markdown = await vkit('policy', 'diff', '--replay', '--format', 'markdown');
    expect(markdown.stdout).toContain('| widening | 1 | customers |');

    // The other way round it narrows, and once it is deployed there is no difference.
    const back = await vkit('policy', 'diff', 'dist/policy_bundle.json', 'v1', '--json');
    expect(jsonOf<BundleComparison>(back).summary).toMatchObject({ widening: 0 });
    expect((await vkit('policy', 'deploy')).stderr).toBe('Next: vkit policy list\n');
    expect((await vkit('policy', 'diff')).stdout).toBe('No decision changes.\n');
    expect((await vkit('policy', 'diff', 'v1', 'active')).stdout).toContain('Widening');
  });
});
