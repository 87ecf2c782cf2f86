import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/util/package-root.js';
import { type CliResult, finished } from '../helpers/run-cli.js';

const base = pathToFileURL(join(packageRoot(), 'src/cli/base-command.ts')).href;
const flags = pathToFileURL(join(packageRoot(), 'src/cli/flags.ts')).href;
const errors = pathToFileURL(join(packageRoot(), 'src/errors/index.ts')).href;

/** Runs a command whose `run` has the given body, in a process of its own, after parsing. */
function runBody(body: string, args: readonly string[]): Promise<CliResult> {
  const code = `
    import { boolean } from '@oclif/core/flags';
    import { string } from '@oclif/core/args';
    import { BaseCommand, PRINTED } from '${base}';
    import { durationFlag, jsonFlag } from '${flags}';
    import { VkitError } from '${errors}';
    class Sample extends BaseCommand {
      static id = 'sample';
      static args = { name: string() };
      static flags = {
        activate: boolean({ allowNo: true, default: true }),
        ttl: durationFlag(),
        metadata: jsonFlag(),
      };
      async run() {
        const { args, flags } = await this.parse(Sample);
        ${body}
      }
    }
    await Sample.run(${JSON.stringify(args)}, ${JSON.stringify(packageRoot())});`;
  const argv = ['--import', 'tsx', '--input-type=module', '--eval', code];
  const env = { PATH: process.env.PATH, NODE_ENV: 'production' };
  const child = spawn(process.execPath, argv, { cwd: packageRoot(), env });
  child.stdin.end('text on stdin\n');
  return finished(child);
}

describe('a command', () => {
  it.each(['[]', '[1]', '{}', 'null', '0', 'false', '""'])(
    'prints the payload %s as one document',
    async (payload) => {
      const result = await runBody(`return ${payload};`, ['--json']);
      expect(result.code).toBe(0);
      expect(JSON.parse(result.stdout)).toEqual(JSON.parse(payload));
    },
  );

  it.each([3, 4, 5])('says no with exit code %d and its payload', async (exit) => {
    const body = `this.log('no'); return this.answer(${exit}, { status: 'denied' });`;
    const json = await runBody(body, ['--json']);
    expect([json.code, JSON.parse(json.stdout)]).toEqual([exit, { status: 'denied' }]);
    const text = await runBody(body, []);
    expect([text.code, text.stdout]).toEqual([exit, 'no\n']);
  });

  it('warns on stderr, under --json too, and shows control codes', async () => {
    const result = await runBody(`this.warn('a\\u001b[2Jb'); return {};`, ['--json']);
    expect(result.stdout).toBe('{}\n');
    expect(result.stderr).toBe('Warning: a\\u001b[2Jb\n');
  });

  it('prints nothing more when it has printed the document itself', async () => {
    const result = await runBody(`process.stdout.write('[]'); return PRINTED;`, ['--json']);
    expect(result.stdout).toBe('[]');
  });

  it('names each field of an error, whatever the error carries', async () => {
    const body = `throw Object.assign(
      new VkitError('conflict', 'It moved.', { hint: 'Look.', details: { a: 1 }, correlationId: 'c' }),
      { config: 'hunter2' });`;
    const result = await runBody(body, ['--json']);
    expect(result.code).toBe(8);
    expect(JSON.parse(result.stdout)).toEqual({
      error: {
        code: 'conflict',
        message: 'It moved.',
        hint: 'Look.',
        details: { a: 1 },
        correlation_id: 'c',
      },
    });
  });

  it('does not show the message of an error that is not its own', async () => {
    const body = `throw new Error('connect postgres://u:hunter2@host failed');`;
    for (const args of [[], ['--json']]) {
      const result = await runBody(body, args);
      expect(result.code).toBe(1);
      expect(result.stdout + result.stderr).not.toContain('hunter2');
    }
  });

  it('lists every problem of a file on a line of its own', async () => {
    const problems = [
      { file: 'a.yaml', line: 3, column: 5, code: 'unknown_key', message: 'No key "mtch".' },
      { pointer: '/match', code: 'missing', message: 'It is required.' },
    ];
    const body = `throw new VkitError('invalid_policy', 'a.yaml is not valid.',
      { details: { problems: ${JSON.stringify(problems)} } });`;
    const result = await runBody(body, []);
    expect(result.stderr).toContain('  a.yaml:3:5: No key "mtch". (unknown_key)\n');
    expect(result.stderr).toContain('  /match: It is required. (missing)\n');
  });

  it.each([
    [['--activate=false'], false],
    [['--no-activate'], false],
    [['--no_activate=true'], false],
    [['--no-activate=false'], true],
    [['--activate=true'], true],
    [[], true],
  ])('understands %j', async (args, activate) => {
    const result = await runBody('return flags;', [...args, '--json']);
    expect(JSON.parse(result.stdout).activate).toBe(activate);
  });

  it.each([[['--format', 'json']], [['--format=json']]])('takes %j for --json', async (args) => {
    const result = await runBody('return flags;', args);
    expect(JSON.parse(result.stdout)).toMatchObject({ json: true });
    const other = await runBody('return flags;', ['--format', 'csv']);
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining('no flag --format')]);
  });

  it('does not take an absent argument from stdin', async () => {
    const result = await runBody('return args;', ['--json']);
    expect(JSON.parse(result.stdout)).toEqual({});
  });

  it.each([
    ['--ttl', 'hunter2'],
    ['--metadata', '[1]'],
    ['--metadata', 'hunter2'],
  ])('refuses %s %s in one sentence of its own', async (flag, value) => {
    const result = await runBody('return flags;', [flag, value, '--json']);
    expect(result.code).toBe(2);
    const { error } = JSON.parse(result.stdout);
    expect(error.code).toBe('usage');
    expect(error.message).toMatch(new RegExp(`^The flag ${flag} [^\\n]*\\.$`));
    expect(result.stdout).not.toContain(value);
  });
});
