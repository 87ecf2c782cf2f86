import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/util/package-root.js';
import { runCli } from '../helpers/run-cli.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

const SECRET = 'hunter2';

/** Every command of the manifest, so that a new one is tested without an edit here. */
const manifest = JSON.parse(await readFile(join(packageRoot(), 'oclif.manifest.json'), 'utf8'));
const commands: string[][] = Object.keys(manifest.commands).map((id) => id.split(':'));

/** Ways in which a password gets onto a command line that is wrong in some other way. */
const MISTAKES: [string, string[]][] = [
  ['beside an unknown flag', ['--no-such-flag', '--password', SECRET]],
  ['before an unknown flag', ['--password', SECRET, '--no-such-flag']],
  ['with = beside an unknown flag', [`--password=${SECRET}`, '--no-such-flag']],
  ['in a misspelled flag', [`--pasword=${SECRET}`, '--no-such-flag']],
  ['as a short flag', [`-z${SECRET}`, '--no-such-flag']],
  ['as an argument', [SECRET, SECRET, SECRET, SECRET, '--no-such-flag']],
];

let turn = 0;

/** Every command gets a third of the mistakes, and every mistake a third of the commands: a process for each takes minutes. */
const MISTAKES_OF = 3;

describe.each(MISTAKES.map(([name, args], place) => [name, args, place] as const))(
  'a password %s',
  (_name, args, place) => {
    const own = commands.filter((_, index) => (index + place) % MISTAKES_OF === 0);
    it.each(own.map((words) => [words.join(' '), words] as const))(
      'is in no output of %s',
      { timeout: 60_000 },
      async (_command, words) => {
        const cwd = await temporaryFolder();
        const env = { HOME: cwd, VKIT_DEBUG: '1', DEBUG: '*' };
        // Both forms, in turn.
        const flags = turn++ % 2 === 0 ? [] : ['--json'];
        const result = await runCli([...words, ...args, ...flags], { cwd, env });
        expect(result.code).toBe(2);
        expect(result.stdout + result.stderr).not.toContain(SECRET);
      },
    );
  },
);

describe('a password as a wrong value', () => {
  it.each([
    ['of a flag with options', ['keys', 'generate', '--alg', SECRET]],
    ['of an argument with options', ['completion', SECRET]],
    ['of a boolean', ['keys', 'generate', `--json=${SECRET}`]],
    ['of a flag given twice', ['keys', 'generate', '--out-dir', 'a', '--out-dir', SECRET]],
    ['after an unknown command', ['logn', SECRET]],
    ['after a topic', ['keys', 'nothing', SECRET]],
    ['before the command', ['--password', SECRET, 'keys', 'generate']],
  ])('%s is not repeated', async (_name, args) => {
    const cwd = await temporaryFolder();
    for (const flags of [[], ['--json']]) {
      const result = await runCli([...args, ...flags], {
        cwd,
        env: { VKIT_DEBUG: '1', DEBUG: '*' },
      });
      expect(result.code).toBe(2);
      expect(result.stdout + result.stderr).not.toContain(SECRET);
    }
  });
});

describe('a password pasted into a file', () => {
  const URL_OF_IT = `postgres://app:${SECRET}@db.internal/shop`;
  const POLICY = 'id: own\ndescription: x\n';
  it.each([
    ['as a dataset of the registry', 'config/registry.yaml', `"${URL_OF_IT}":\n  nonsense: 1\n`],
    [
      'as a field of the registry',
      'config/registry.yaml',
      `customers:\n  datasource: shop\n  fields:\n    "${URL_OF_IT}": 1\n`,
    ],
    ['as a key of vkit.yaml', 'vkit.yaml', `org: acme\n"${URL_OF_IT}": 1\n`],
    ['as the id of a datasource', 'config/datasources/shop.yaml', `id: "${URL_OF_IT}"\n`],
    ['as a key of a datasource', 'config/datasources/shop.yaml', `id: shop\n"${URL_OF_IT}": 1\n`],
    [
      'as a key of its config',
      'config/datasources/shop.yaml',
      `id: shop\nengine: sqlite\nenvironment: test\nconfig: {path: x, "${URL_OF_IT}": 1}\n`,
    ],
    ['as the id of a policy', 'config/policies/own.yaml', `id: "${URL_OF_IT}"\n`],
    ['as a key of a policy', 'config/policies/own.yaml', `${POLICY}"${URL_OF_IT}": 1\n`],
    [
      'as a dataset of a policy',
      'config/policies/own.yaml',
      `${POLICY}match: {dataset: "${URL_OF_IT}"}\naction: {deny: true, reason: no}\n`,
    ],
    [
      'as a role of a policy',
      'config/policies/own.yaml',
      `${POLICY}context: {requester_role: "${URL_OF_IT}"}\naction: {deny: true, reason: no}\n`,
    ],
    ['as an attribute', 'config/policies/own.yaml', `${POLICY}context: {"${URL_OF_IT}": 1}\n`],
    [
      'as a pack',
      '.vkit/packs.yaml',
      `format_version: v1\ninstalled_packs:\n  "${URL_OF_IT}": 1\n`,
    ],
  ])('%s comes back in no message', async (_name, path, text) => {
    const cwd = await temporaryFolder();
    const files = { 'vkit.yaml': 'org: acme\nroles: [analyst]\n', [path]: text };
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(cwd, name)), { recursive: true });
      await writeFile(join(cwd, name), content);
    }
    for (const args of [
      ['policy', 'validate'],
      ['policy', 'list', '--local'],
      ['policy', 'bundle'],
    ]) {
      for (const flags of [[], ['--json']]) {
        const result = await runCli([...args, ...flags], { cwd, env: { VKIT_DEBUG: '1' } });
        expect(result.stdout + result.stderr).not.toContain(SECRET);
      }
    }
  });
});
