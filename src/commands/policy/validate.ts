import { delimiter } from 'node:path';
import { boolean, option, string } from '@oclif/core/flags';
import { BaseCommand, PRINTED } from '../../cli/base-command.js';
import { countFindings, renderFindings } from '../../cli/findings-text.js';
import { projectFlags, projectFolderFlags } from '../../cli/flags.js';
import { cacheOptions, projectContext } from '../../cli/project-context.js';
import { readEnvironment } from '../../config/env.js';
import { VkitError } from '../../errors/index.js';
import { pathInRepository } from '../../git/path-in-repository.js';
import { renderFindingsSarif } from '../../policy/findings-sarif.js';
import { findProject } from '../../project/find-project.js';
import { checkBundleFile } from '../../services/check-bundle-file.js';
import { readPublicKey } from '../../services/read-public-key.js';
import { errorCodeOf, validateProject } from '../../services/validate-project.js';

export default class PolicyValidate extends BaseCommand {
  static override summary = 'Check the policies and everything they name, or a bundle.';
  static override description =
    `Shows every finding at once, each with its file, line and column. Exits 2 when there are errors. \
Of a bundle it checks form, checksum and signature as the server does, and exits 3 when it does not verify.`;
  static override examples = [
    '<%= config.bin %> policy validate',
    '<%= config.bin %> policy validate --strict',
    '<%= config.bin %> policy validate --format sarif > policies.sarif',
    '<%= config.bin %> policy validate --bundle dist/policy_bundle.json --key .vkit/keys/vkit_pub.pem',
  ];
  static override flags = {
    ...projectFlags,
    ...projectFolderFlags,
    bundle: string({ description: 'Check this bundle instead of the files.', helpValue: 'FILE' }),
    key: string({
      description: 'Public key (PEM) the bundle must be signed with; else VKIT_PUBLIC_KEY.',
      dependsOn: ['bundle'],
      helpValue: 'FILE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    strict: boolean({ description: 'Take warnings for errors.' }),
    format: option({
      description: 'How the findings are printed.',
      options: ['table', 'json', 'sarif'] as const,
      default: 'table' as const,
    })(),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(PolicyValidate);
    const isSarif = flags.format === 'sarif';
    if (isSarif && (flags.json || flags.bundle !== undefined)) {
      const other = flags.json ? '--json' : '--bundle';
      throw new VkitError('usage', `Give ${other} or --format sarif, not both.`);
    }
    if (flags.bundle !== undefined) return this.checkBundle(flags.bundle, flags);
    const { root } = await findProject(projectContext(flags).cwd);
    const result = await validateProject({
      root,
      ...cacheOptions(),
      strict: flags.strict,
      policiesDir: flags['policies-dir'],
      registryDir: flags['registry-dir'],
      datasourcesDir: flags['datasources-dir'],
    });
    const { findings, policies, datasets, datasources } = result;
    if (isSarif) {
      const projectPath = await pathInRepository(root);
      const vkitVersion = this.config.version;
      this.logJson(renderFindingsSarif(findings, { vkitVersion, projectPath }));
    } else if (findings.length > 0) this.log(`${renderFindings(findings)}\n`);
    if (!result.valid) {
      const errors = findings.filter(({ severity }) => severity === 'error');
      throw new VkitError(errorCodeOf(errors), `The project has ${countFindings(findings)}.`, {
        // People have read them on stdout.
        ...(this.jsonEnabled() ? { details: { problems: findings } } : {}),
      });
    }
    if (isSarif) return PRINTED;
    const checked = `${count(policies, 'policy', 'policies')}, ${count(datasets, 'dataset')}, ${count(datasources, 'datasource')}`;
    const warnings = countFindings(findings);
    this.log(`✓ ${checked}: valid${warnings === '' ? '' : `, ${warnings}`}`);
    if (policies === 0)
      this.note('No policy yet, so everything is denied. Next: vkit policy pack add starter');
    else this.note('Next: git add . && git commit -m "Policies" && vkit policy bundle');
    return { ...result, findings };
  }

  private async checkBundle(
    file: string,
    flags: { key?: string[] | undefined; strict: boolean },
  ): Promise<object> {
    const named = readEnvironment().publicKeyFile?.split(new RegExp(`[,${delimiter}]`)) ?? [];
    const paths = (flags.key ?? named).filter((path) => path !== '');
    const trustedKeys = await Promise.all(paths.map(readPublicKey));
    const checked = await checkBundleFile({ file, trustedKeys, now: new Date() });
    const findings = checked.findings.map((finding) =>
      flags.strict ? { ...finding, severity: 'error' as const } : finding,
    );
    const { bundle, registry, policies, signing } = checked.bundle;
    const errors = findings.filter(({ severity }) => severity === 'error');
    const answer = {
      valid: errors.length === 0,
      verified: checked.verified,
      signature: checked.signature,
      org: bundle.org_slug,
      bundle_version: bundle.bundle_version,
      sequence: bundle.sequence,
      checksum: bundle.checksum,
      key_id: signing?.key_id ?? null,
      policies: policies.length,
      datasets: registry.datasets.length,
      datasources: registry.datasources.length,
      findings,
    };
    if (findings.length > 0) this.log(`${renderFindings(findings)}\n`);
    if (!checked.verified) {
      this.log(`✗ ${file} does not verify.`);
      return this.answer(3, answer);
    }
    if (errors.length > 0) {
      throw new VkitError('bundle_invalid', `The bundle has ${countFindings(findings)}.`, {
        ...(this.jsonEnabled() ? { details: { problems: findings } } : {}),
      });
    }
    this.log(
      `✓ ${file}: ${count(policies.length, 'policy', 'policies')}, ${count(registry.datasets.length, 'dataset')}, checksum matches, ${SIGNATURES[checked.signature]}`,
    );
    this.note(
      checked.signature === 'not_checked'
        ? `Next: vkit policy validate --bundle ${file} --key FILE`
        : `Next: vkit policy deploy --bundle ${file}`,
    );
    return answer;
  }
}

const SIGNATURES = {
  verified: 'signature verifies',
  not_checked: 'signature not checked',
  unsigned: 'not signed',
  refused: 'signature refused',
} as const;

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
