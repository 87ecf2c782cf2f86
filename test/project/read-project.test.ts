import { readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadServerConfig } from '../../src/config/server-config.js';
import { readProject } from '../../src/project/read-project.js';
import { scaffoldProject } from '../../src/project/scaffold-project.js';
import { writeDatasourceFile, writeTogether } from '../../src/project/write-project.js';
import { directoryWith, engineSchemas, writeInto } from './files.js';

const datasource = {
  id: 'shop',
  engine: 'sqlite',
  environment: 'development',
  region: null,
  credentials: 'env',
  config: { path: './shop.db' },
} as const;

describe('readProject', () => {
  it('reads all files of a project, sorted', async () => {
    const root = directoryWith({
      'vkit.yaml': 'org: acme\n',
      'config/policies/b.yaml': 'id: b\n',
      'config/policies/a/c.yml': 'id: c\n',
      'config/policies/notes.txt': '',
    });
    await writeDatasourceFile(root, datasource);
    const files = [
      { path: 'config/registry/shop.yaml', text: 'y: {}\n' },
      { path: 'config/registry.yaml', text: 'x: {}\n' },
      { path: 'config/registry.lock.json', text: '{}' },
    ];
    expect(await writeTogether(root, files, [])).toEqual(files.map(({ path }) => path));
    const project = await readProject(root, { engineSchemas });
    expect(project.problems).toEqual([]);
    expect(project.settings.org).toBe('acme');
    expect(project.policyFiles.map(({ path }) => path)).toEqual([
      'config/policies/a/c.yml',
      'config/policies/b.yaml',
    ]);
    expect(project.datasources).toEqual([datasource]);
    expect(project.registry?.text).toBe('x: {}\n');
    expect(project.registryParts).toMatchObject([
      { path: 'config/registry/shop.yaml', text: 'y: {}\n' },
    ]);
    expect(project.lock?.text).toBe('{}');
    const again = await readProject(root, { engineSchemas, before: project });
    expect(again.registry).toBe(project.registry);
    writeFileSync(join(root, 'config/registry.yaml'), 'z: {}\n');
    const changed = await readProject(root, { engineSchemas, before: project });
    expect(changed.registry?.text).toBe('z: {}\n');
    expect(changed.registryParts[0]).toBe(project.registryParts[0]);
  });

  it('reads an empty directory as a project that denies everything', async () => {
    const project = await readProject(directoryWith(), { engineSchemas });
    expect(project).toMatchObject({
      policyFiles: [],
      datasources: [],
      registry: null,
      lock: null,
      problems: [],
    });
    expect(project.settings.default_action).toBe('deny');
  });

  it('does not follow a symbolic link, nor read what is not UTF-8', async () => {
    const root = directoryWith({
      'elsewhere.yaml': 'id: x\n',
      'config/policies/ok.yaml': 'id: ok\n',
    });
    symlinkSync(join(root, 'elsewhere.yaml'), join(root, 'config/policies/link.yaml'));
    writeFileSync(join(root, 'config/policies/latin.yaml'), Buffer.from([0x69, 0xe4]));
    const project = await readProject(root, { engineSchemas });
    expect(project.policyFiles.map(({ path }) => path)).toEqual(['config/policies/ok.yaml']);
    expect(project.problems.map(({ file, code }) => `${file} ${code}`)).toEqual([
      'config/policies/latin.yaml not_utf8',
      'config/policies/link.yaml not_a_file',
    ]);
  });

  it('does not read folders that are links, nor what lies behind them', async () => {
    const elsewhere = directoryWith({ 'policies/x.yaml': 'id: x\n', 'registry.yaml': 'x: {}\n' });
    const root = directoryWith({ 'vkit.yaml': '' });
    symlinkSync(elsewhere, join(root, 'config'));
    const project = await readProject(root, { engineSchemas });
    expect(project).toMatchObject({ policyFiles: [], registry: null });
    expect(project.problems.map(({ file, code }) => `${file} ${code}`)).toEqual([
      'config/policies not_a_file',
      'config/registry.yaml not_a_file',
    ]);
  });

  it('reports one datasource in two files', async () => {
    const root = directoryWith();
    await writeDatasourceFile(root, datasource);
    writeInto(
      root,
      'config/datasources/more/shop.yaml',
      readFileSync(join(root, 'config/datasources/shop.yaml'), 'utf8'),
    );
    expect((await readProject(root, { engineSchemas })).problems.map(({ code }) => code)).toEqual([
      'duplicate',
    ]);
  });
});

describe('writeDatasourceFile', () => {
  it('refuses to replace a file unless told to', async () => {
    const root = directoryWith();
    await writeDatasourceFile(root, datasource);
    await expect(writeDatasourceFile(root, datasource)).rejects.toMatchObject({
      code: 'file_exists',
    });
    await writeDatasourceFile(root, { ...datasource, region: 'EU' }, { overwrite: true });
    expect((await readProject(root, { engineSchemas })).datasources[0]?.region).toBe('EU');
  });
});

describe('scaffoldProject', () => {
  it('makes a project that reads without problems', async () => {
    const root = join(directoryWith(), 'new/project');
    const { written } = await scaffoldProject({ directory: root, org: 'acme' });
    expect(written).toEqual([
      '.gitattributes',
      '.gitignore',
      'README.md',
      'config/datasources/.gitkeep',
      'config/policies/.gitkeep',
      'config/tests/.gitkeep',
      'vkit.server.yaml',
      'vkit.yaml',
    ]);
    const project = await readProject(root, { engineSchemas });
    expect(project.problems).toEqual([]);
    expect(project.settings).toMatchObject({ org: 'acme', default_action: 'deny' });
    expect(project.settings.roles).toContain('ai_agent');
    expect(statSync(join(root, 'config/tests')).isDirectory()).toBe(true);
  });

  it('leaves a configuration that the server of the project takes', async () => {
    const root = join(directoryWith(), 'project');
    await scaffoldProject({ directory: root, org: 'acme' });
    const config = await loadServerConfig({ cwd: root, environment: {}, flags: {} });
    expect(config.org).toBe('acme');
    expect(config.trusted_bundle_keys).toEqual([join(root, '.vkit/keys/vkit_pub.pem')]);
    const ignored = readFileSync(join(root, '.gitignore'), 'utf8').split('\n');
    expect(ignored).toContain(`${relative(root, config.data_dir)}/`);
    expect(config.file_directories).toEqual([root]);
  });

  it.each(['Acme', 'a: b', '', 'x\n'])(
    'refuses the organisation %j and writes nothing',
    async (org) => {
      const root = join(directoryWith(), 'project');
      await expect(scaffoldProject({ directory: root, org })).rejects.toMatchObject({
        code: 'invalid_input',
      });
      expect(() => statSync(root)).toThrow();
    },
  );

  it('refuses a directory that is a project, and writes nothing there', async () => {
    const root = directoryWith({ 'vkit.yaml': 'org: mine\n' });
    await expect(scaffoldProject({ directory: root })).rejects.toMatchObject({
      code: 'file_exists',
    });
    expect(readFileSync(join(root, 'vkit.yaml'), 'utf8')).toBe('org: mine\n');
    expect(() => statSync(join(root, '.gitignore'))).toThrow();
    await scaffoldProject({ directory: root, force: true });
    expect(readFileSync(join(root, 'vkit.yaml'), 'utf8')).toContain('org: default');
  });

  it('keeps a README and adds only what a .gitignore lacks', async () => {
    const root = directoryWith({
      'README.md': '# Mine\n',
      '.gitignore': 'node_modules/\n*_priv.pem',
    });
    await scaffoldProject({ directory: root });
    await scaffoldProject({ directory: root, force: true });
    expect(readFileSync(join(root, 'README.md'), 'utf8')).toBe('# Mine\n');
    const lines = readFileSync(join(root, '.gitignore'), 'utf8').split('\n');
    expect(lines.slice(0, 2)).toEqual(['node_modules/', '*_priv.pem']);
    expect(lines.filter((line) => line === '*_priv.pem')).toHaveLength(1);
    expect(lines).toContain('.vkit/keys/');
  });
});
