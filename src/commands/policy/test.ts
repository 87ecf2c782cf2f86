import { string as argument } from '@oclif/core/args';
import { option, string } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { countFlag, projectFlags } from '../../cli/flags.js';
import { renderJunit } from '../../cli/junit-report.js';
import { renderPolicyTests } from '../../cli/policy-test-report.js';
import { cacheOptions, projectContext } from '../../cli/project-context.js';
import { VkitError } from '../../errors/index.js';
import { findProject } from '../../project/find-project.js';
import { loadPolicies } from '../../services/load-policies.js';
import { readPolicyTests } from '../../services/read-policy-tests.js';
import { testPolicies } from '../../services/test-policies.js';

/** A bundle is compiled from what is committed. */
const NEXT_OF_FILES = 'Next: git add . && git commit -m "Policies" && vkit policy bundle';

export default class PolicyTest extends BaseCommand {
  static override summary = 'Check that the policies decide what their tests expect.';
  static override description =
    `Runs the cases of config/tests, or of FILES, against the project's policies as they are now, committed or not, or against \
a bundle (its checksum is checked, its signature is not). Shows what failed with the trace, and how many policies and conditions some \
case exercised. Exits 3 when a case fails or the coverage is too low, and 2 when a file is invalid or there are no tests.`;
  static override examples = [
    '<%= config.bin %> policy test',
    '<%= config.bin %> policy test --min-coverage 80',
    '<%= config.bin %> policy test config/tests/agents.yaml',
    '<%= config.bin %> policy test --bundle dist/policy_bundle.json --format junit > results.xml',
  ];
  static override args = {
    files: argument({
      description: 'Files or folders of tests; else config/tests.',
      multiple: true,
    }),
  };
  static override flags = {
    ...projectFlags,
    bundle: string({ description: 'Test this bundle instead of the files.', helpValue: 'FILE' }),
    'min-coverage': countFlag({
      description: 'Percent of the policies, and of their conditions, that must be exercised.',
      max: 100,
    }),
    format: option({
      description: 'How the results are printed.',
      options: ['table', 'json', 'junit'] as const,
      default: 'table' as const,
    })(),
  };

  async run(): Promise<object> {
    const { args, flags } = await this.parse(PolicyTest);
    const isJunit = flags.format === 'junit';
    if (isJunit && flags.json) throw new VkitError('usage', 'Give --json or --format junit.');
    const paths = args.files ?? [];
    const { cwd } = projectContext(flags);
    const needsProject = flags.bundle === undefined || paths.length === 0;
    const root = needsProject ? (await findProject(cwd)).root : null;
    const tests = await readPolicyTests({ paths, cwd: process.cwd(), root });
    const policies = await loadPolicies(
      flags.bundle === undefined
        ? { root: root ?? cwd, ...cacheOptions() }
        : { bundle: flags.bundle },
    );
    const result = testPolicies(policies, tests, flags['min-coverage'] ?? null);
    if (isJunit) process.stdout.write(renderJunit(result));
    else this.log(renderPolicyTests(result));
    if (result.passed) {
      const { bundle } = flags;
      this.note(
        bundle === undefined ? NEXT_OF_FILES : `Next: vkit policy deploy --bundle ${bundle}`,
      );
    }
    return result.passed ? result : this.answer(3, result);
  }
}
