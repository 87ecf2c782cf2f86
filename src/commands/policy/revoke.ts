import { string as argument } from '@oclif/core/args';
import { string } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { reportBundle } from '../../cli/bundle-report.js';
import { confirmDestruction } from '../../cli/confirm-destruction.js';
import { connect } from '../../cli/connect.js';
import { forceFlags, serverFlags } from '../../cli/flags.js';
import { requireOneOf } from '../../cli/require-one-of.js';
import { requireReason } from '../../cli/require-reason.js';
import type { VkitClient } from '../../client/vkit-client.js';

export default class PolicyRevoke extends BaseCommand {
  static override summary = 'Revoke a bundle for good.';
  static override description =
    'It can never be active again. Revoking the active one leaves none, and everything is denied until another is active.';
  static override examples = [
    '<%= config.bin %> policy revoke --bundle-version v3 --reason "a policy lets too much through"',
  ];
  static override args = { version: argument({ description: 'The version (v3).' }) };
  static override flags = {
    ...serverFlags,
    ...forceFlags,
    'bundle-version': string({ description: 'The version (v3).', helpValue: 'vN' }),
    reason: string({ description: 'Why; it is recorded.', helpValue: 'TEXT' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(PolicyRevoke);
    const version = requireOneOf(args.version, flags['bundle-version'], 'bundle-version', {
      thing: 'version',
      list: 'vkit policy list',
    });
    const reason = await requireReason(flags.reason);
    const { client } = await connect(flags, this.config.version);
    await confirmDestruction(`Revoke the bundle ${version} for good?`, flags);
    const answer = await client.revokeBundle(version, reason);
    this.log(reportBundle(answer));
    if (answer.unchanged) this.note(`${answer.version} was revoked before; nothing changed.`);
    if (!this.jsonEnabled()) await this.sayWhatIsActive(client);
    return answer;
  }

  /** The revocation stands, whether or not the list can be read. */
  private async sayWhatIsActive(client: VkitClient): Promise<void> {
    const bundles = await client.listBundles().catch(() => []);
    if (bundles.length === 0 || bundles.some(({ state }) => state === 'active')) return;
    this.note('No bundle is active now, so everything is denied.');
    const earlier = bundles
      .filter(({ state }) => state === 'superseded')
      .sort((a, b) => Date.parse(b.activated_at ?? '') - Date.parse(a.activated_at ?? ''))[0];
    this.note(
      earlier === undefined
        ? 'Next: vkit policy deploy'
        : `Next: vkit policy rollback --to ${earlier.version} --reason '…'`,
    );
  }
}
