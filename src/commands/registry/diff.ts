import { string } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { projectFlags, serverFlags } from '../../cli/flags.js';
import { readNamedBundle } from '../../cli/named-bundle.js';
import { projectContext } from '../../cli/project-context.js';
import { renderRegistryDiff } from '../../cli/registry-diff-text.js';
import { diffRegistry } from '../../services/diff-registry.js';

export default class RegistryDiff extends BaseCommand {
  static override summary = "Compare the project's registry with the server's.";
  static override description =
    `The server's is the one of its active bundle, the project's as it would be compiled: what is listed is what the next \
deployment would change. Exits 0 with or without a difference.`;
  static override examples = ['<%= config.bin %> registry diff'];
  static override flags = {
    ...projectFlags,
    ...serverFlags,
    'registry-dir': string({
      description: 'Folder of registry.yaml.',
      default: 'config',
      helpValue: 'FOLDER',
    }),
  };

  async run(): Promise<object> {
    const { flags } = await this.parse(RegistryDiff);
    const { bundle, origin } = await readNamedBundle('active', flags, this.config.version);
    const findings = await diffRegistry({
      ...projectContext(flags),
      registryDir: flags['registry-dir'],
      bundle,
    });
    if (findings.length === 0) this.log(`The registry is the one of ${origin.name}.`);
    else {
      this.log(renderRegistryDiff(findings));
      this.note(`\nCompared with ${origin.name}, the active bundle. Next: vkit policy bundle`);
    }
    return { id: origin.name, checksum: origin.checksum, drift: findings.length > 0, findings };
  }
}
