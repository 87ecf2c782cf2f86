import { describe, expect, it } from 'vitest';
import { finished, startCli } from '../helpers/run-cli.js';
import { directoryWith } from '../project/files.js';

/** Runs a command one of whose outputs nobody reads, from before its first byte. */
async function unread(args: readonly string[], output: 'stdout' | 'stderr', cwd?: string) {
  const child = startCli(args, cwd === undefined ? {} : { cwd });
  child[output]?.destroy();
  child.stdin?.on('error', () => undefined).end();
  return finished(child);
}

/** A project whose list of policies is larger than any pipe holds. */
function manyPolicies(): string {
  const files = Array.from({ length: 600 }, (_, index) => [
    `config/policies/policy_${index}.yaml`,
    `id: policy_${index}\ndescription: "${'long '.repeat(20)}"\naction: {deny: true, reason: no}\n`,
  ]);
  return directoryWith({ 'vkit.yaml': 'org: acme\n', ...Object.fromEntries(files) });
}

describe('output that nobody reads', () => {
  it.each([
    [['--help']],
    [['policy', '--help']],
    [['completion', 'bash']],
    [['policy', 'pack', 'list']],
    [['policy', 'pack', 'list', '--json']],
  ])('ends %j quietly', async (args) => {
    const root = directoryWith({ 'vkit.yaml': 'org: acme\n' });
    const { code, stderr } = await unread(args, 'stdout', root);
    expect([code, stderr.includes('Error')]).toEqual([0, false]);
  });

  it('ends quietly when it is large', async () => {
    const root = manyPolicies();
    for (const flags of [[], ['--json']]) {
      const result = await unread(['policy', 'list', '--local', ...flags], 'stdout', root);
      // What to do next is said beside the output, to whoever may be reading there.
      expect(result.code).toBe(0);
      expect(result.stderr.replace('Next: vkit policy validate\n', '')).toBe('');
    }
  });

  it('leaves the exit code of a failure, whichever it is of the two', async () => {
    const empty = directoryWith();
    const failing = ['policy', 'validate'];
    for (const output of ['stdout', 'stderr'] as const) {
      expect((await unread(failing, output, empty)).code).toBe(2);
      expect((await unread([...failing, '--json'], output, empty)).code).toBe(2);
    }
  });
});
