import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseBundle } from '../../src/bundle/parse-bundle.js';
import { verifyBundle } from '../../src/bundle/verify-bundle.js';
import { type BuildBundleInput, buildBundle } from '../../src/services/build-bundle.js';
import { initProject } from '../../src/services/init-project.js';
import { readPublicKey } from '../../src/services/read-public-key.js';
import { validateProject } from '../../src/services/validate-project.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';
import { directoryWith, writeInto } from '../project/files.js';

const now = new Date('2026-03-01T09:00:00Z');
const REGISTRY = `customers:
  datasource: shop
  fields:
    id: {type: integer, sensitivity: low, category: internal}
    email: {type: text, sensitivity: medium, category: pii}
`;
const LOCK = JSON.stringify({
  format_version: 'v1',
  datasets: {
    customers: {
      datasource: 'shop',
      kind: 'table',
      table: { schema: '', name: 'customers' },
      primary_key: ['id'],
      unique_keys: [],
      foreign_keys: [],
      fields: {
        id: { type: 'integer', position: 1, nullable: false },
        email: { type: 'text', position: 2, nullable: true },
      },
    },
  },
});
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const PEM = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

function git(root: string, ...args: string[]): string {
  const env = { ...process.env, GIT_COMMITTER_DATE: '2026-03-01T12:00:00+02:00' };
  return execFileSync(
    'git',
    ['-C', root, '-c', 'user.name=Test', '-c', 'user.email=test@example.com', ...args],
    { encoding: 'utf8', env, stdio: 'pipe' },
  );
}

function commit(root: string): void {
  git(root, 'add', '.');
  git(root, 'commit', '-q', '-m', 'Policies');
}

/** A committed project with starter, one datasource and its baseline. */
async function project(): Promise<string> {
  const root = join(directoryWith(), 'project');
  await initProject({ directory: root, org: 'acme', packs: ['starter'], cwd: '/', now });
  writeInto(
    root,
    'config/datasources/shop.yaml',
    'id: shop\nengine: sqlite\nenvironment: production\nregion: US\nconfig: {path: ./shop.db}\n',
  );
  writeInto(root, 'config/registry.yaml', REGISTRY);
  writeInto(root, 'config/registry.lock.json', LOCK);
  git(root, 'init', '-q', '-b', 'main');
  git(root, 'remote', 'add', 'origin', 'https://user:token@github.com/acme/policies.git');
  commit(root);
  return root;
}

async function codeOf(input: BuildBundleInput): Promise<string> {
  return buildBundle(input).then(
    () => 'ok',
    (error) => error.code,
  );
}

describe('buildBundle', () => {
  it('writes a signed bundle that verifies', async () => {
    const root = await project();
    writeInto(root, '.vkit/keys/vkit_priv.pem', PEM);
    const { file, bundle, warnings } = await buildBundle({
      root,
      keyFile: '.vkit/keys/vkit_priv.pem',
    });
    expect(warnings).toEqual([]);
    expect(file).toBe(join(root, 'dist/policy_bundle.json'));
    const parsed = parseBundle(JSON.parse(readFileSync(file, 'utf8')));
    if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
    await verifyBundle(parsed, { trustedKeys: [publicKey], org: 'acme', now });
    expect(parsed.bundle).toEqual(bundle);
    expect(bundle.bundle).toMatchObject({
      org_slug: 'acme',
      bundle_version: git(root, 'rev-parse', 'HEAD').trim(),
      sequence: 1,
      created_at: '2026-03-01T10:00:00Z',
      expires_at: null,
      source: { type: 'git', repo: 'github.com/acme/policies', dirty: false },
      installed_packs: [{ name: 'starter', version: '1.0.0' }],
    });
    expect(bundle.policies).toHaveLength(6);
  });

  it('gives the same bytes in a clone', async () => {
    const root = await project();
    const clone = join(directoryWith(), 'clone');
    git(root, 'clone', '-q', root, clone);
    git(clone, 'remote', 'set-url', 'origin', 'git@github.com:acme/policies.git');
    const [one, two] = await Promise.all([buildBundle({ root }), buildBundle({ root: clone })]);
    expect(readFileSync(two.file)).toEqual(readFileSync(one.file));
    expect(readFileSync(one.file, 'utf8')).not.toContain('token@');
  });

  it('refuses uncommitted changes of what it compiles, and nothing else', async () => {
    const root = await project();
    writeInto(root, 'notes.txt', 'not compiled');
    expect(await codeOf({ root })).toBe('ok');
    writeInto(
      root,
      'config/policies/new.yaml',
      'id: new\ndescription: New\nmatch: {fields: {sensitivity: low}}\naction: {allow: true}\n',
    );
    expect(await codeOf({ root })).toBe('bundle_dirty');
    const { bundle, warnings } = await buildBundle({ root, allowDirty: true });
    expect(bundle.bundle.source.dirty).toBe(true);
    expect(warnings.map(({ code }) => code)).toContain('dirty');
  });

  it.each([
    'vkit.yaml',
    '.vkit/packs.yaml',
    'config/registry.yaml',
    'config/registry.lock.json',
    'config/datasources/shop.yaml',
  ])('takes a change of %s for one', async (path) => {
    const root = await project();
    const text = readFileSync(join(root, path), 'utf8');
    writeInto(root, path, path.endsWith('.json') ? `${text}\n` : `${text}# changed\n`);
    expect(await codeOf({ root })).toBe('bundle_dirty');
  });

  it('refuses a policy that Git ignores, since no clone has it', async () => {
    const root = await project();
    writeInto(root, 'config/policies/.gitignore', 'secret.yaml\n');
    commit(root);
    writeInto(
      root,
      'config/policies/secret.yaml',
      'id: secret\ndescription: x\naction: {allow: true}\n',
    );
    expect(await codeOf({ root })).toBe('bundle_dirty');
  });

  it('refuses what a filter of this clone hides from Git', async () => {
    const root = await project();
    const path = 'config/registry.yaml';
    writeFileSync(join(root, '.git/info/attributes'), '* filter=hide\n');
    git(root, 'config', 'filter.hide.clean', 'git cat-file -p HEAD:%f');
    // Of the same length, since Git asks no filter where the length says it all.
    writeInto(root, path, REGISTRY.replace('category: pii', 'category: phi'));
    expect(git(root, 'status', '--porcelain', path)).toBe('');
    expect(await codeOf({ root })).toBe('bundle_dirty');
  });

  it('has Git keep the line ends of a new project, and explains those of another', async () => {
    const root = await project();
    const clone = join(directoryWith(), 'clone');
    git(root, '-c', 'core.autocrlf=true', 'clone', '-q', root, clone);
    git(clone, 'config', 'core.autocrlf', 'true');
    expect(await codeOf({ root: clone })).toBe('ok');
    expect((await validateProject({ root: clone })).findings).toEqual([]);

    rmSync(join(root, '.gitattributes'));
    commit(root);
    const windows = join(directoryWith(), 'windows');
    git(root, '-c', 'core.autocrlf=true', 'clone', '-q', root, windows);
    git(windows, 'config', 'core.autocrlf', 'true');
    expect(git(windows, 'status', '--porcelain')).toBe('');
    await expect(buildBundle({ root: windows })).rejects.toMatchObject({
      code: 'bundle_dirty',
      message: expect.stringContaining('line ends'),
      hint: expect.stringContaining('.gitattributes'),
    });
  });

  it('does not count commits by grafts of this clone', async () => {
    const root = await project();
    writeInto(root, 'notes.txt', 'x');
    commit(root);
    writeFileSync(join(root, '.git/info/grafts'), git(root, 'rev-parse', 'HEAD'));
    await expect(buildBundle({ root })).rejects.toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining('grafts'),
    });
    expect(await codeOf({ root, sequence: 2 })).toBe('ok');
  });

  it('needs a repository with a commit', async () => {
    const root = await project();
    rmSync(join(root, '.git'), { recursive: true });
    expect(await codeOf({ root })).toBe('invalid_input');
    git(root, 'init', '-q');
    expect(await codeOf({ root })).toBe('invalid_input');
  });

  it('asks for a sequence in a shallow clone and says how to fetch', async () => {
    const root = await project();
    writeInto(root, 'notes.txt', 'x');
    commit(root);
    const clone = join(directoryWith(), 'clone');
    git(root, 'clone', '-q', '--depth', '1', `file://${root}`, clone);
    await expect(buildBundle({ root: clone })).rejects.toMatchObject({
      code: 'invalid_input',
      hint: expect.stringContaining('--unshallow'),
    });
    expect((await buildBundle({ root: clone, sequence: 2 })).bundle.bundle.sequence).toBe(2);
  });

  it('counts an expiry from the commit, not from the clock', async () => {
    const root = await project();
    const expiry = async (expires: string) =>
      (await buildBundle({ root, expires })).bundle.bundle.expires_at;
    expect(await expiry('30d')).toBe('2026-03-31T10:00:00Z');
    expect(await expiry('2027-01-01')).toBe('2027-01-01T00:00:00Z');
    expect(await codeOf({ root, expires: 'soon' })).toBe('invalid_input');
    expect(await codeOf({ root, expires: '2027-13-01' })).toBe('invalid_input');
  });

  it('refuses a private key that Git would take, named or lying where keys lie', async () => {
    const root = await project();
    writeInto(root, 'key.pem', PEM);
    expect(await codeOf({ root, keyFile: 'key.pem' })).toBe('key_exposed');
    writeInto(root, '.gitignore', 'dist/\n');
    writeInto(root, '.vkit/keys/vkit_priv.pem', PEM);
    expect(await codeOf({ root })).toBe('key_exposed');
  });

  it('says nothing of a key that was given in the place of its path', async () => {
    const root = await project();
    const [, body = ''] = PEM.split('\n');
    expect(body.length).toBeGreaterThan(40);
    for (const keyFile of [PEM, PEM.replaceAll('\n', ''), body]) {
      const error = await buildBundle({ root, keyFile }).catch((one) => one);
      expect(error.code).toBe('key_invalid');
      expect(`${error.message} ${error.hint} ${error.cause}`).not.toContain(body.slice(0, 20));
      const trusted = await readPublicKey(keyFile).catch((one) => one);
      expect(trusted.code).toBe('key_invalid');
      expect(`${trusted.message} ${trusted.hint}`).not.toContain(body.slice(0, 20));
    }
  });

  it('refuses folders outside of the repository, of which Git would say that nothing changed', async () => {
    const root = await project();
    const outside = await temporaryFolder();
    writeInto(outside, 'registry.yaml', REGISTRY);
    writeInto(outside, 'registry.lock.json', LOCK);
    expect(await codeOf({ root, registryDir: outside })).toBe('invalid_input');
    expect(await codeOf({ root, registryDir: 'config' })).toBe('ok');
  });

  it('compiles a policy whatever the case of its ending', async () => {
    const root = await project();
    writeInto(
      root,
      'config/policies/loud.YAML',
      'id: loud\ndescription: x\naction: {deny: true, reason: no}\n',
    );
    commit(root);
    const { bundle } = await buildBundle({ root });
    expect(bundle.policies.map(({ id }) => id)).toContain('loud');
  });

  it('refuses a day that does not exist', async () => {
    const root = await project();
    expect(await codeOf({ root, expires: '2026-02-30' })).toBe('invalid_input');
    expect(await codeOf({ root, expires: '2028-02-29' })).toBe('ok');
  });

  it('refuses a key that is none, and says nothing of its text', async () => {
    const root = await project();
    writeInto(
      root,
      '.vkit/keys/other_priv.pem',
      '-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n',
    );
    const error = await buildBundle({ root, keyFile: '.vkit/keys/other_priv.pem' }).catch(
      (caught) => caught,
    );
    expect(error.code).toBe('key_invalid');
    expect(JSON.stringify([error.message, error.hint, String(error.cause)])).not.toContain(
      'hunter2',
    );
    expect(await codeOf({ root, keyFile: 'nowhere.pem' })).toBe('key_invalid');
  });

  it('refuses a policies folder that is not the one compiled', async () => {
    const root = await project();
    writeInto(root, 'policies/own.yaml', 'id: own\n');
    expect(await codeOf({ root })).toBe('config_invalid');
    expect(await codeOf({ root, policiesDir: 'policies' })).toBe('config_invalid');
  });

  it.each([
    [
      'config/datasources/shop.yaml',
      'id: shop\nengine: sqlite\nenvironment: production\nconfig: {path: x, password: hunter2}\n',
      'config_invalid',
    ],
    ['config/policies/own.yaml', 'id: own\n', 'invalid_policy'],
    [
      'config/registry.yaml',
      'customers: {datasource: elsewhere, fields: {}}\n',
      'invalid_registry',
    ],
  ])('compiles nothing while %s has errors, and shows them all', async (path, text, code) => {
    const root = await project();
    writeInto(root, path, text);
    const error = await buildBundle({ root, allowDirty: true }).catch((caught) => caught);
    expect(error.code).toBe(code);
    expect(error.details.problems[0]).toMatchObject({
      file: path,
      line: expect.any(Number),
      column: expect.any(Number),
    });
    expect(JSON.stringify(error)).not.toContain('hunter2');
    expect(existsSync(join(root, 'dist'))).toBe(false);
  });

  it('warns of a bundle without a signature', async () => {
    const { warnings, bundle } = await buildBundle({ root: await project() });
    expect(bundle.signing).toBeNull();
    expect(warnings.map(({ code }) => code)).toEqual(['unsigned']);
  });
});

describe('validateProject', () => {
  it('finds nothing wrong with a new project and all shipped packs', async () => {
    const root = join(directoryWith(), 'p');
    await initProject({
      directory: root,
      packs: ['financial_compliance', 'ai_safety', 'starter'],
      cwd: '/',
      now,
    });
    expect(await validateProject({ root, strict: true })).toEqual({
      valid: true,
      findings: [],
      policies: 14,
      datasets: 0,
      datasources: 0,
    });
  });

  it('finds pack files that were changed or removed, and what no scan has seen', async () => {
    const root = await project();
    writeInto(root, 'config/registry.yaml', REGISTRY.replace('    email:', '    phone:'));
    const changed = 'config/policies/starter__02__mask_pii.yaml';
    writeInto(
      root,
      changed,
      readFileSync(join(root, changed), 'utf8').replace('priority: 150', 'priority: 151'),
    );
    rmSync(join(root, 'config/policies/starter__04__block_cross_region.yaml'));
    const { valid, findings } = await validateProject({ root });
    expect(valid).toBe(true);
    expect(findings.map(({ file, code }) => `${file} ${code}`)).toEqual([
      `${changed} pack_file_modified`,
      'config/policies/starter__04__block_cross_region.yaml pack_file_missing',
      'config/registry.yaml not_scanned',
    ]);
    expect((await validateProject({ root, strict: true })).valid).toBe(false);
  });

  it('finds packs whose recorded priority bands overlap', async () => {
    const root = await project();
    const state = join(root, '.vkit/packs.yaml');
    const recorded = readFileSync(state, 'utf8');
    expect(recorded).toContain('min: 100');
    // As an older vkit, or a merge of two branches, would leave it.
    const pack = recorded.slice(recorded.indexOf('  starter:'));
    const files = pack.indexOf('    files:');
    const other = `${pack.slice(0, files).replaceAll('starter', 'ours').replace('min: 100', 'min: 150')}    files: []\n`;
    writeFileSync(state, `${recorded}${other}`);
    const { valid, findings } = await validateProject({ root });
    expect(valid).toBe(false);
    expect(findings.filter(({ code }) => code === 'bands_overlap')).toMatchObject([
      { file: '.vkit/packs.yaml', severity: 'error' },
    ]);
  });

  it('refuses a role that vkit.yaml does not list', async () => {
    const root = await project();
    writeInto(
      root,
      'config/policies/own.yaml',
      'id: own\ndescription: x\ncontext: {requester_role: analist}\naction: {allow: true}\n',
    );
    const { valid, findings } = await validateProject({ root });
    expect(valid).toBe(false);
    expect(findings).toContainEqual(
      expect.objectContaining({ file: 'config/policies/own.yaml', line: 3, severity: 'error' }),
    );
  });

  it('reports all that is wrong with a policy at once, of its form and of what it names', async () => {
    const root = await project();
    writeInto(
      root,
      'config/policies/own.yaml',
      `id: own
bogus: 1
match: {dataset: nosuch, fields: {sensitivity: hihg}}
context: {requester_role: nobody, environment: prodution, time: {after: "09:00", timezone: Mars/X}}
action: {deny: true, mask: true, reason: x, ttl: 99d}
`,
    );
    const { findings } = await validateProject({ root });
    expect(findings.map(({ line, severity, code }) => `${line} ${severity} ${code}`)).toEqual([
      '2 error unknown_key',
      '3 error unknown_dataset',
      '3 error bad_value',
      '4 error unknown_role',
      '4 warning unknown_environment',
      '4 error unknown_timezone',
      '5 error one_action',
      '5 warning ttl_over_ceiling',
    ]);
  });
});
