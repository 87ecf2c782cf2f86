import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/util/package-root.js';
import { finished, jsonOf, runCli, startCli } from '../helpers/run-cli.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

type ErrorDocument = { error: Record<string, unknown> };

/** Command lines that fail, the code each must have, and words its message must hold. */
const FAILURES = [
  ['an unknown command', ['kyes', 'generate'], 2, 'usage', 'kyes'],
  ['an unknown command of a topic', ['keys', 'generat'], 2, 'usage', 'keys generat'],
  ['an unknown flag', ['keys', 'generate', '--outdir', 'x'], 2, 'usage', '--outdir'],
  ['an unknown short flag', ['keys', 'generate', '-x'], 2, 'usage', '-x'],
  ['a value that a flag does not take', ['keys', 'generate', '--alg', 'DSA'], 2, 'usage', '--alg'],
  ['a flag without its value', ['keys', 'generate', '--out-dir'], 2, 'usage', '--out-dir'],
  ['an argument too many', ['keys', 'generate', 'extra'], 2, 'usage', 'no argument'],
  ['a missing argument', ['completion'], 2, 'usage', 'SHELL'],
  ['an argument that is not one of its values', ['completion', 'tcsh'], 2, 'usage', 'argument'],
  ['a flag before the command', ['--out-dir', 'x', 'keys'], 2, 'usage', 'command'],
] as const;

describe.each(FAILURES)('%s', (_name, args, exit, code, words) => {
  it(`exits ${exit} with one sentence and a hint on stderr`, async () => {
    const result = await runCli(args);
    expect(result.code).toBe(exit);
    expect(result.stdout).toBe('');
    expect(result.stderr.trimEnd().split('\n')).toHaveLength(2);
    expect(result.stderr).toMatch(/^Error: /);
    expect(result.stderr).toContain(words);
    expect(result.stderr).not.toMatch(/\n\s+at /);
  });

  it(`exits ${exit} with one error document on stdout under --json`, async () => {
    const result = await runCli([...args, '--json']);
    expect(result.code).toBe(exit);
    expect(result.stderr).toBe('');
    const { error } = jsonOf<ErrorDocument>(result);
    expect(Object.keys(error)).toEqual(['code', 'message', 'hint', 'details', 'correlation_id']);
    expect(error.code).toBe(code);
    expect(error.message).toContain(words);
  });
});

describe('keys generate', () => {
  it.each([[[]], [['--json']]])(
    'exits 8 rather than overwrite a key (flags: %j)',
    async (flags) => {
      const cwd = await temporaryFolder();
      expect((await runCli(['keys', 'generate'], { cwd })).code).toBe(0);
      const second = await runCli(['keys', 'generate', ...flags], { cwd });
      expect(second.code).toBe(8);
      if (flags.length > 0) expect(jsonOf<ErrorDocument>(second).error.code).toBe('file_exists');
      else expect(second.stderr).toContain('vkit_priv.pem exists');
    },
  );

  it.each([[[]], [['--json']]])('exits 2 when the folder is a file (flags: %j)', async (flags) => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'keys'), '');
    const result = await runCli(['keys', 'generate', '--out-dir', 'keys', ...flags], { cwd });
    expect(result.code).toBe(2);
    expect(flags.length > 0 ? result.stdout : result.stderr).toContain('keys is not a folder');
  });
});

describe('a command that ends early', () => {
  it.each([
    [false, '', 'Error: Interrupted.\n'],
    [true, '{"code":"interrupted"', ''],
  ])('exits 130 when it is interrupted (json: %j)', async (json, stdout, stderr) => {
    const module = pathToFileURL(join(packageRoot(), 'src/cli/interrupt.ts')).href;
    const code = `import { installInterrupt } from '${module}';
      installInterrupt({ json: ${json} });
      process.stderr.write('ready');
      setInterval(() => undefined, 1000);`;
    const args = ['--import', 'tsx', '--input-type=module', '--eval', code];
    const child = spawn(process.execPath, args, { cwd: packageRoot() });
    child.stderr.once('data', () => child.kill('SIGINT'));
    const ended = await finished(child);
    expect(ended.code).toBe(130);
    expect(ended.stdout.replaceAll(/\s/g, '')).toContain(stdout);
    expect(ended.stderr).toBe(`ready${stderr}`);
  });

  it('stays quiet when its reader goes away', async () => {
    const child = startCli(['completion', 'bash']);
    child.stdout?.destroy();
    const ended = await finished(child);
    expect(ended.stderr).toBe('');
    expect(ended.code).toBe(0);
  });
});

describe('VKIT_PROFILE', () => {
  it('is named in the error where there is no login of that profile', async () => {
    const env = { XDG_CONFIG_HOME: await temporaryFolder(), VKIT_PROFILE: 'olu' };
    const result = await runCli(['whoami'], { env });
    expect([result.code, result.stdout]).toEqual([6, '']);
    expect(result.stderr).toContain('no login of the profile in VKIT_PROFILE');
    expect(result.stderr).toContain('vkit login --profile olu');
  });
});

describe('VKIT_DEBUG', () => {
  it('adds the stack on stderr, under --json too', async () => {
    const result = await runCli(['completion', 'tcsh', '--json'], { env: { VKIT_DEBUG: '1' } });
    expect(jsonOf<ErrorDocument>(result).error.code).toBe('usage');
    expect(result.stderr).toMatch(/\n\s+at /);
    expect(result.stderr).not.toContain('tcsh');
  });
});
