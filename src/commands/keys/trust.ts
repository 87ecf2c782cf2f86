import { string as argument } from '@oclif/core/args';
import { string } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { SERVER_CONFIG_FILE } from '../../config/server-config.js';
import { trustBundleKey } from '../../services/trust-bundle-key.js';

export default class KeysTrust extends BaseCommand {
  static override summary = 'Let a server accept bundles signed with a key.';
  static override description =
    `Adds the public key's file to trusted_bundle_keys of vkit.server.yaml, which is made if need be. The server reads it when \
it starts. Several keys can be trusted at once, so that keys rotate without an outage.`;
  static override examples = ['<%= config.bin %> keys trust .vkit/keys/vkit_pub.pem'];
  static override args = {
    file: argument({ description: 'The public key (PEM).', required: true }),
  };
  static override flags = {
    config: string({
      description: "The server's configuration file.",
      default: SERVER_CONFIG_FILE,
      helpValue: 'FILE',
    }),
  };

  async run(): Promise<object> {
    const { args, flags } = await this.parse(KeysTrust);
    const trusted = await trustBundleKey({ keyFile: args.file, configFile: flags.config });
    const verb = trusted.added ? 'Trusts' : 'Trusted already:';
    this.log(`${verb} the key ${trusted.id} (${trusted.alg}) in ${trusted.config}`);
    if (trusted.added)
      this.note('A server that is running reads it when it starts again: vkit serve');
    return trusted;
  }
}
