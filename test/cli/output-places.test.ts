import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { initProject } from '../../src/services/init-project.js';
import { jsonOf, runCli } from '../helpers/run-cli.js';

let root: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'vkit-output-'));
  const now = new Date('2026-03-01T09:00:00Z');
  await initProject({ directory: root, org: 'acme', packs: ['starter'], cwd: '/', now });
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', root, '-c', 'user.name=T', '-c', 'user.email=t@x.test', ...args]);
  git('init', '-q');
  git('add', '.');
  git('commit', '-q', '-m', 'Policies');
  execFileSync('sh', ['-c', 'mkfifo pipe'], { cwd: root });
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

type ErrorDocument = { error: { code: string } };

async function failure(...args: string[]): Promise<[number | null, string]> {
  const result = await runCli([...args, '--json'], { cwd: root, timeoutMs: 15_000 });
  return [result.code, jsonOf<ErrorDocument>(result).error.code];
}

describe('a place where nothing can be written', () => {
  it.each([
    // Node's own way to make folders never comes back here.
    ['/proc/nope/x', 'permission_denied'],
    ['/proc/self/status/x', 'permission_denied'],
    ['vkit.yaml/x', 'permission_denied'],
    ['/', 'invalid_input'],
    ['config', 'invalid_input'],
    ['pipe', 'invalid_input'],
  ])('is refused by policy bundle --out %s', async (out, code) => {
    expect(await failure('policy', 'bundle', '--unsigned', '--out', out)).toEqual([2, code]);
    expect(statSync(join(root, 'pipe')).isFIFO()).toBe(true);
  });

  it.each([
    ['keys', 'generate', '--out-dir'],
    ['init', '--dir'],
    ['demo', '--keep'],
  ])('is refused by %s %s', async (...args) => {
    expect(await failure(...args, '/proc/nope/x')).toEqual([2, 'permission_denied']);
  });

  it.each([
    ['/', 'invalid_input'],
    ['config', 'invalid_input'],
    ['pipe', 'invalid_input'],
  ])('is refused by fetch --output %s before the server is asked', async (output, code) => {
    // Nobody listens there.
    const server = ['--endpoint', 'http://127.0.0.1:9'];
    const env = { VKIT_TOKEN: 'vks_x' };
    const args = ['fetch', '-g', 'gr_x', '--output', output, ...server, '--json'];
    const result = await runCli(args, { cwd: root, env });
    expect([result.code, jsonOf<ErrorDocument>(result).error.code]).toEqual([2, code]);
  });

  it('leaves nothing half-written', () => {
    expect(readdirSync(root).filter((name) => name.includes('tmp') || name === 'dist')).toEqual([]);
  });
});
