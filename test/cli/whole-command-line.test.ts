import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { packageRoot } from '../../src/util/package-root.js';
import { type CliResult, finished } from '../helpers/run-cli.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

interface Manifest {
  commands: Record<string, { summary: string; flags: Record<string, unknown> }>;
}
const manifest: Manifest = JSON.parse(
  await readFile(join(packageRoot(), 'oclif.manifest.json'), 'utf8'),
);
const IDS = Object.keys(manifest.commands);
const words = (id: string): string[] => id.split(':');

/** Nothing listens at the discard port. */
const NOWHERE = 'http://127.0.0.1:9';

/** How each command is asked for something that only a server can do. */
const ASKING: Record<string, string[]> = {
  'agents:tokens:create': ['--name', 'bot'],
  'agents:tokens:list': [],
  'agents:tokens:revoke': ['agt_1', '--force'],
  'approval:approve': ['req_1'],
  'approval:deny': ['req_1', '--reason', 'no'],
  'approval:grant': ['req_1'],
  'approval:list': [],
  'approval:watch': [],
  'approvals:watch': [],
  'audit:export': [],
  'audit:query': [],
  'audit:tail': [],
  'audit:verify': [],
  cancel: ['req_1'],
  'datasource:get': ['crm', '--remote'],
  'datasource:test': ['crm', '--remote'],
  fetch: ['gr_1'],
  'grant:revoke': ['gr_1', '--force'],
  'grant:show': ['gr_1'],
  login: ['--email', 'ana@example.com', '--password', 'not a secret'],
  'policy:activate': ['v1'],
  'policy:diff': ['v1', 'v2'],
  'policy:explain': ['--remote', '--aql', '{"source_table":"a","columns":["b"]}'],
  'policy:list': [],
  'policy:revoke': ['v1', '--reason', 'no', '--force'],
  'policy:rollback': ['--to', 'v1', '--reason', 'no', '--force'],
  'policy:show': ['v1'],
  'registry:diff': [],
  'registry:export': [],
  request: ['--aql', '{"source_table":"a","columns":["b"]}'],
  'requests:list': [],
  'requests:show': ['req_1'],
  scan: ['crm', '--remote'],
  'session:list': [],
  'session:revoke': ['ses_1', '--force'],
  'user:create': ['--email', 'ana@example.com', '--password', 'not a secret'],
  'user:disable': ['usr_1', '--force'],
  'user:enable': ['usr_1'],
  'user:list': [],
  'user:reset-password': ['usr_1', '--password', 'not a secret'],
  'user:update': ['usr_1', '--role', 'analyst'],
  'vault:rotate': [],
  whoami: [],
};

/** What has an address and does not fail without it, or fails before: each with its reason. */
const NOT_ASKING: Record<string, string> = {
  'datasource:add':
    'writes the file of the project first, in test/commands/datasource-server.test.ts',
  'datasource:list':
    'lists the files of the project, too, in test/commands/datasource-server.test.ts',
  'datasource:remove': 'looks at the project first, in test/commands/datasource-server.test.ts',
  'datasource:update': 'looks at the project first, in test/commands/datasource-server.test.ts',
  doctor: 'tells it among its checks, in test/commands/doctor.test.ts',
  logout: 'forgets the login here, whether the server is told or not',
  mcp: 'tells whoever asks it, in test/mcp/stdio.test.ts',
  'policy:deploy': 'reads the bundle first, in test/commands/bundles.test.ts',
  'drift:pr': 'reads the project first, in test/commands/drift-pr.test.ts',
};

const PROCESSES = 2;

/** Runs command lines in a few processes that take their share each; results in the order given. */
async function runMany(
  commandLines: readonly string[][],
  env: Record<string, string> = {},
): Promise<CliResult[]> {
  const failure = inject('buildError');
  if (failure !== '') throw new Error(`dist/ could not be built: ${failure}`);
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, 'vkit.yaml'), 'org: acme\nroles: [analyst]\n');
  const shares = Array.from({ length: PROCESSES }, (_, share) =>
    commandLines.filter((_line, index) => index % PROCESSES === share),
  );
  const results = await Promise.all(shares.map((share) => runShare(share, cwd, env)));
  return commandLines.map((_line, index) => {
    const result = results[index % PROCESSES]?.[Math.floor(index / PROCESSES)];
    if (!result) throw new Error(`No result of: ${commandLines[index]?.join(' ')}`);
    return result;
  });
}

async function runShare(
  commandLines: readonly string[][],
  cwd: string,
  env: Record<string, string>,
): Promise<CliResult[]> {
  const mark = `mark-${randomBytes(8).toString('hex')} `;
  const tsx = join(packageRoot(), 'node_modules/tsx/dist/loader.mjs');
  const script = join(packageRoot(), 'test/cli/run-many.ts');
  const { PATH, TMPDIR } = process.env;
  const child = spawn(process.execPath, ['--import', tsx, script], {
    cwd,
    env: { PATH, TMPDIR, HOME: cwd, ...env },
  });
  child.stdin.end(JSON.stringify({ mark, commandLines }));
  const { stdout, stderr } = await finished(child, 60_000);
  const outputs = stdout.split(`\n${mark}`);
  const errors = stderr.split(`\n${mark}\n`);
  // The code of a run stands behind its mark, at the beginning of what comes next.
  return commandLines.map((line, index) => {
    const next = /^(\d+)\n/.exec(outputs[index + 1] ?? '');
    if (!next)
      throw new Error(
        `${line.join(' ')} ended the process: ${stdout.slice(-500)}${stderr.slice(-500)}`,
      );
    const own = index === 0 ? outputs[0] : outputs[index]?.replace(/^\d+\n/, '');
    return { stdout: own ?? '', stderr: errors[index] ?? '', code: Number(next[1]), signal: null };
  });
}

it('every command tells what it does and its flags with --help, on stdout, and exits 0', async () => {
  const results = await runMany(IDS.map((id) => [...words(id), '--help']));
  for (const [index, id] of IDS.entries()) {
    const result = results[index] as CliResult;
    expect([id, result.code, result.stderr]).toEqual([id, 0, '']);
    const command = manifest.commands[id];
    expect(result.stdout).toContain(`vkit ${words(id).join(' ')}`);
    expect(result.stdout.replaceAll(/\s+/g, ' ')).toContain(command?.summary);
    for (const flag of Object.keys(command?.flags ?? {})) {
      const isHidden = (command?.flags[flag] as { hidden?: boolean } | undefined)?.hidden === true;
      if (!isHidden)
        expect([id, result.stdout]).toEqual([id, expect.stringContaining(`--${flag}`)]);
    }
  }
});

it('every command refuses a flag it does not have with exit code 2: two lines on stderr, or one document on stdout', async () => {
  const lines = IDS.flatMap((id) => [
    [...words(id), '--no-such-flag'],
    [...words(id), '--no-such-flag', '--json'],
  ]);
  const results = await runMany(lines);
  for (const [index, id] of IDS.entries()) {
    const [people, program] = [results[2 * index], results[2 * index + 1]];
    expect([id, people?.code, people?.stdout]).toEqual([id, 2, '']);
    expect(people?.stderr).toMatch(/^Error: .*--no-such-flag.*\n.+\n$/);
    expect([id, program?.code, program?.stderr]).toEqual([id, 2, '']);
    expect(JSON.parse(program?.stdout ?? '')).toEqual({
      error: {
        code: 'usage',
        message: expect.stringContaining('--no-such-flag'),
        hint: expect.any(String),
        details: { flag: '--no-such-flag' },
        correlation_id: null,
      },
    });
  }
});

it('every command that asks a server exits 7 where none answers, and says which', async () => {
  const asking = IDS.filter((id) => 'endpoint' in (manifest.commands[id]?.flags ?? {}));
  expect(asking.filter((id) => !(id in ASKING) && !(id in NOT_ASKING))).toEqual([]);
  expect(Object.keys({ ...ASKING, ...NOT_ASKING }).filter((id) => !IDS.includes(id))).toEqual([]);
  const ids = Object.keys(ASKING);
  const lines = ids.flatMap((id) => {
    const line = [...words(id), ...(ASKING[id] ?? []), '--endpoint', NOWHERE];
    return [line, [...line, '--json']];
  });
  const results = await runMany(lines, { VKIT_TOKEN: 'vks_nobody' });
  for (const [index, id] of ids.entries()) {
    const [people, program] = [results[2 * index], results[2 * index + 1]];
    expect([id, people?.code, people?.stdout]).toEqual([id, 7, '']);
    expect(people?.stderr).toContain(`No vkit server answers at ${NOWHERE}.`);
    expect(people?.stderr).not.toMatch(/\n\s+at /);
    expect([id, program?.code]).toEqual([id, 7]);
    const { error } = JSON.parse(program?.stdout ?? '') as { error: Record<string, unknown> };
    expect([id, error.code, error.hint]).toEqual([
      id,
      'server_unreachable',
      expect.stringContaining('vkit serve'),
    ]);
  }
});
