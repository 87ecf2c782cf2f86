import { execFile } from 'node:child_process';
import { access, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { calculateJwkThumbprint, exportJWK, importPKCS8, importSPKI } from 'jose';
import { describe, expect, it } from 'vitest';
import { jsonOf, runCli } from '../helpers/run-cli.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

const git = (cwd: string, args: string[]) => promisify(execFile)('git', args, { cwd });

type Keys = { id: string; alg: string; private_key: string; public_key: string };

describe('the command line accepts', () => {
  it.each([
    ['spaces between the words', ['keys', 'generate', '--out-dir', 'k']],
    ['colons between the words', ['keys:generate', '--out-dir', 'k']],
    ['underscores in flags', ['keys', 'generate', '--out_dir', 'k']],
    ['underscores in a flag with =', ['keys', 'generate', '--out_dir=k']],
    ['--json before the command', ['--json', 'keys', 'generate', '--out-dir', 'k']],
    ['a boolean set to true', ['keys', 'generate', '--out-dir', 'k', '--json=true']],
  ])('%s', async (_name, args) => {
    const cwd = await temporaryFolder();
    const flags = args.some((arg) => arg.startsWith('--json')) ? [] : ['--json'];
    const result = await runCli([...args, ...flags], { cwd });
    expect(result.stderr).toBe('');
    expect(jsonOf<Keys>(result).private_key).toBe('k/vkit_priv.pem');
  });

  it('a boolean set to false', async () => {
    const cwd = await temporaryFolder();
    const result = await runCli(['keys', 'generate', '--json=false'], { cwd });
    expect(result.code).toBe(0);
    expect(result.stdout).toMatch(/^Key /);
  });

  it('does not touch what stands after --', async () => {
    const result = await runCli(['completion', '--', '--out_dir']);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('not one it takes');
  });
});

describe('a message names', () => {
  it.each(['abc', '99999'])('the flag of a port that is none: %s', async (port) => {
    const result = await runCli(['serve', '--port', port]);
    expect([result.code, result.stdout]).toEqual([2, '']);
    expect(result.stderr).toContain('--port');
    expect(result.stderr).toContain('from 0 to 65535');
  });

  it('the profile that was typed, in the command to paste', async () => {
    const env = { XDG_CONFIG_HOME: await temporaryFolder() };
    const result = await runCli(['whoami', '--profile', 'nightly'], { env });
    expect([result.code, result.stdout]).toEqual([6, '']);
    expect(result.stderr).toContain('vkit login --profile nightly');
  });
});

describe('suggestions', () => {
  it.each([
    [['kyes', 'generate'], 'keys generate'],
    [['keys', 'genrate'], 'keys generate'],
    [['completio'], 'completion'],
    [['keys', 'generate', '--out-dri', 'x'], '--out-dir'],
    [['keys', 'generate', '--outdir=x'], '--out-dir'],
  ])('%j is answered with %s', async (args, suggestion) => {
    const text = await runCli(args);
    expect(text.stderr).toContain(`Did you mean`);
    expect(text.stderr).toContain(suggestion);
    const { error } = jsonOf<{ error: { details: { suggestion: string } } }>(
      await runCli([...args, '--json']),
    );
    expect(error.details.suggestion).toBe(suggestion);
  });
});

describe('a topic alone', () => {
  it('lists its commands for people', async () => {
    const result = await runCli(['keys']);
    expect(result.code).toBe(0);
    expect(result.stdout).toContain('keys generate');
  });

  it('is an error for programs, with its commands', async () => {
    const result = await runCli(['keys', '--json']);
    expect(result.code).toBe(2);
    expect(
      jsonOf<{ error: { details: { commands: string[] } } }>(result).error.details.commands,
    ).toContain('keys generate');
  });
});

describe('help and version', () => {
  it.each([[['--help']], [['help']], [[]]])('%j lists the topics', async (args) => {
    const result = await runCli(args);
    expect(result.code).toBe(0);
    expect(result.stdout).toContain('keys');
  });

  it.each([
    [['keys', 'generate', '--help']],
    [['help', 'keys', 'generate']],
    [['keys:generate', '-h']],
  ])('%j explains the command', async (args) => {
    const result = await runCli(args);
    expect(result.code).toBe(0);
    expect(result.stdout).toContain('--out-dir');
  });

  it('help of an unknown command exits 2', async () => {
    expect((await runCli(['help', 'nothing'])).code).toBe(2);
  });

  it('prints the version of package.json', async () => {
    const { version } = JSON.parse(
      await readFile(join(import.meta.dirname, '../../package.json'), 'utf8'),
    );
    expect((await runCli(['--version'])).stdout).toMatch(new RegExp(`^vkit/${version} `));
    expect(jsonOf(await runCli(['--version', '--json']))).toMatchObject({ version });
  });
});

describe('keys generate', () => {
  it.each([
    ['EdDSA', 'Ed25519'],
    ['RS256', 'RS256'],
    ['ES256', 'ES256'],
  ])('writes a pair for %s whose halves belong together', async (alg, jwa) => {
    const cwd = await temporaryFolder();
    const result = await runCli(['keys', 'generate', '--alg', alg, '--json'], { cwd });
    const keys = jsonOf<Keys>(result);
    const privatePem = await readFile(join(cwd, keys.private_key), 'utf8');
    const publicPem = await readFile(join(cwd, keys.public_key), 'utf8');
    const privateJwk = await exportJWK(await importPKCS8(privatePem, jwa, { extractable: true }));
    const publicJwk = await exportJWK(await importSPKI(publicPem, jwa, { extractable: true }));
    expect(privateJwk).toMatchObject(publicJwk);
    expect(keys.id).toBe(await calculateJwkThumbprint(publicJwk, 'sha256'));
    expect((await stat(join(cwd, keys.private_key))).mode & 0o777).toBe(0o600);
    expect(result.stdout + result.stderr).not.toContain(privatePem.split('\n')[1]);
  });

  it('refuses a folder in a Git work tree that Git does not ignore, and leaves no key', async () => {
    const cwd = await temporaryFolder();
    await git(cwd, ['init', '--quiet']);
    const result = await runCli(['keys', 'generate', '--json'], { cwd });
    expect(result.code).toBe(2);
    expect(jsonOf<{ error: { code: string } }>(result).error.code).toBe('key_exposed');
    await expect(access(join(cwd, '.vkit/keys/vkit_priv.pem'))).rejects.toThrow('ENOENT');
  });

  it('accepts it once the private key is ignored', async () => {
    const cwd = await temporaryFolder();
    await git(cwd, ['init', '--quiet']);
    await writeFile(join(cwd, '.gitignore'), 'vkit_priv.pem\n');
    expect((await runCli(['keys', 'generate'], { cwd })).code).toBe(0);
  });
});
