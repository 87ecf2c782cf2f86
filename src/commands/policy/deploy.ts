import { delimiter } from 'node:path';
import { boolean, string } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { NEXT_AFTER_ACTIVATION, reportBundle } from '../../cli/bundle-report.js';
import { connect } from '../../cli/connect.js';
import { renderFacts } from '../../cli/facts.js';
import { serverFlags } from '../../cli/flags.js';
import type { BundleState } from '../../client/wire.js';
import { readEnvironment } from '../../config/env.js';
import { isErrorCodeName, VkitError } from '../../errors/index.js';
import { type CheckedBundle, checkBundleFile } from '../../services/check-bundle-file.js';
import { readPublicKey } from '../../services/read-public-key.js';

const BUNDLE = 'dist/policy_bundle.json';

export default class PolicyDeploy extends BaseCommand {
  static override summary = 'Upload a bundle to the server and activate it.';
  static override description =
    `The server checks form, checksum, organisation, signature and expiry before it takes it; grants of the bundle that was \
active end. Deploying what is deployed already changes nothing. --dry-run checks what can be checked here and talks to \
no server.`;
  static override examples = [
    '<%= config.bin %> policy deploy',
    '<%= config.bin %> policy deploy --bundle dist/policy_bundle.json --no-activate',
  ];
  static override flags = {
    ...serverFlags,
    bundle: string({
      description: 'The bundle.',
      default: BUNDLE,
      helpValue: 'FILE',
    }),
    org: string({ description: 'Organisation the bundle has to be for.', helpValue: 'NAME' }),
    key: string({
      description: 'Public key (PEM) the bundle must be signed with; else VKIT_PUBLIC_KEY.',
      helpValue: 'FILE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'dry-run': boolean({ description: 'Say what would happen, and do not do it.' }),
    activate: boolean({ description: 'Activate it, too.', default: true, allowNo: true }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(PolicyDeploy);
    const checked = await check(flags.bundle, flags.org, flags.key);
    if (flags['dry-run']) return this.plan(checked, flags);
    const { client } = await connect(flags, this.config.version);
    const answer = await client.deployBundle(checked.document, flags.activate);
    this.log(reportBundle(answer));
    if (answer.resigned) {
      this.note(`${answer.version} has this content; its signature is by ${answer.key_id} now.`);
    } else if (!answer.created) this.note(NOTHING_CHANGED[answer.state](answer.version));
    else if (!flags.activate) this.note(`Next: vkit policy activate ${answer.version}`);
    else if (answer.version === 'v1') {
      this.note(
        'Next: vkit user create --email ADDRESS --role ROLE\nOr, for an agent: vkit agents tokens create --name NAME',
      );
    } else this.note(NEXT_AFTER_ACTIVATION);
    return answer.state === 'revoked' ? this.answer(3, answer) : answer;
  }

  private plan(checked: CheckedBundle, flags: { bundle: string; activate: boolean }): object {
    const { bundle, registry, policies, signing } = checked.bundle;
    const { findings } = checked;
    this.noteFindings(findings);
    this.log(`Would upload ${flags.bundle}${flags.activate ? ' and activate it' : ''}.`);
    this.log(
      renderFacts([
        ['organisation', bundle.org_slug],
        ['commit', bundle.bundle_version],
        ['sequence', bundle.sequence],
        ['expires', bundle.expires_at],
        ['policies', policies.length],
        ['datasets', registry.datasets.length],
        ['datasources', registry.datasources.map(({ name }) => name).join(', ')],
        ['checksum', bundle.checksum],
        ['signature', checked.signature.replaceAll('_', ' ')],
      ]),
    );
    const named = flags.bundle === BUNDLE ? '' : ` --bundle ${flags.bundle}`;
    this.note(`Next: vkit policy deploy${named}${flags.activate ? '' : ' --no-activate'}`);
    return {
      status: 'dry_run',
      activate: flags.activate,
      org: bundle.org_slug,
      bundle_version: bundle.bundle_version,
      sequence: bundle.sequence,
      expires_at: bundle.expires_at,
      checksum: bundle.checksum,
      signature: checked.signature,
      key_id: signing?.key_id ?? null,
      policies: policies.length,
      datasets: registry.datasets.length,
      datasources: registry.datasources.length,
      findings,
    };
  }
}

/** What is said where the server had the content of the bundle already, by the state of that version. */
const NOTHING_CHANGED: Record<BundleState, (version: string) => string> = {
  active: () => 'The server had these bytes already; nothing changed.',
  uploaded: (version) =>
    `The server had these bytes already; nothing changed.\nNext: vkit policy activate ${version}`,
  superseded: (version) =>
    `The server had these bytes already, as ${version}, which was replaced since; nothing changed.
To return to it: vkit policy rollback --to ${version} --reason '…'`,
  revoked: (version) =>
    `These are the bytes of ${version}, which was revoked and stays so; nothing changed.`,
};

/** Checks a bundle before it is sent; --key or VKIT_PUBLIC_KEY name the keys its signature is compared with, if any. */
async function check(
  file: string,
  org: string | undefined,
  keys: readonly string[] | undefined,
): Promise<CheckedBundle> {
  const named = readEnvironment().publicKeyFile?.split(new RegExp(`[,${delimiter}]`)) ?? [];
  const paths = (keys ?? named).filter((path) => path !== '');
  const trustedKeys = await Promise.all(paths.map(readPublicKey));
  const checked = await checkBundleFile({ file, trustedKeys, now: new Date() });
  const refusal = checked.findings.find(({ severity }) => severity === 'error');
  if (refusal) {
    const code = isErrorCodeName(refusal.code) ? refusal.code : 'bundle_invalid';
    const { message, suggestion } = refusal;
    throw new VkitError(code, message, suggestion === undefined ? {} : { hint: suggestion });
  }
  const slug = checked.bundle.bundle.org_slug;
  if (org === undefined || org === slug) return checked;
  throw new VkitError('bundle_org', `The bundle is for the organisation ${slug}, not ${org}.`, {
    hint: `Compile it for that one: vkit policy bundle --org ${org}`,
  });
}
