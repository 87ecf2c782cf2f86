import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
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

describe.each(MISTAKES)('a password %s', (_name, args) => {
  it.each(commands.map((words) => [words.join(' '), words] as const))(
    'is in no output of %s',
    { timeout: 60_000 },
    async (_command, words) => {
      const cwd = await temporaryFolder();
      const env = { HOME: cwd, VKIT_DEBUG: '1', DEBUG: '*' };
      // Both forms, in turn: a process for each of them and each command takes minutes.
      const flags = turn++ % 2 === 0 ? [] : ['--json'];
      const result = await runCli([...words, ...args, ...flags], { cwd, env });
      expect(result.code).toBe(2);
      expect(result.stdout + result.stderr).not.toContain(SECRET);
    },
  );
});

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
