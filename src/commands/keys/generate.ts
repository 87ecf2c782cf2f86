import { option, string } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { generateKeys, KEY_ALGORITHMS } from '../../services/generate-keys.js';

export default class KeysGenerate extends BaseCommand {
  static override summary = 'Make a key pair that signs bundles.';
  static override description =
    'Writes vkit_priv.pem (PKCS #8, mode 0600) and vkit_pub.pem (SPKI), and never overwrites.';
  static override examples = [
    '<%= config.bin %> keys generate',
    '<%= config.bin %> keys generate --out-dir .vkit/keys --alg ES256',
  ];
  static override flags = {
    'out-dir': string({ description: 'Folder of the two files.', default: '.vkit/keys' }),
    alg: option({
      description: 'Signature algorithm.',
      options: KEY_ALGORITHMS,
      default: 'EdDSA' as const,
    })(),
  };

  async run(): Promise<object> {
    const { flags } = await this.parse(KeysGenerate);
    const keys = await generateKeys({ folder: flags['out-dir'], algorithm: flags.alg });
    this.log(`Key ${keys.id} (${keys.algorithm})`);
    this.log(`  private  ${keys.privateKeyFile}  keep it secret, out of Git`);
    this.log(`  public   ${keys.publicKeyFile}  give it to the server`);
    this.note(`Next, where the server runs: vkit keys trust ${keys.publicKeyFile}`);
    return {
      id: keys.id,
      alg: keys.algorithm,
      private_key: keys.privateKeyFile,
      public_key: keys.publicKeyFile,
    };
  }
}
