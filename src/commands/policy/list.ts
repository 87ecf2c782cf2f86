import { boolean } from '@oclif/core/flags';
import { BaseCommand } from '../../cli/base-command.js';
import { connect } from '../../cli/connect.js';
import { formatTime } from '../../cli/facts.js';
import { projectFlags, serverFlags } from '../../cli/flags.js';
import { nextOfBundles } from '../../cli/next-of-bundles.js';
import { projectContext } from '../../cli/project-context.js';
import { renderTable } from '../../cli/table.js';
import { findProject } from '../../project/find-project.js';

export default class PolicyList extends BaseCommand {
  static override summary = "List the server's bundles, or the policies of the project.";
  static override examples = [
    '<%= config.bin %> policy list',
    '<%= config.bin %> policy list --local',
  ];
  static override flags = {
    ...serverFlags,
    ...projectFlags,
    local: boolean({
      description: "The policies of the project's files.",
      exclusive: ['endpoint', 'profile'],
    }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(PolicyList);
    if (flags.local) return this.listLocal(flags);
    const { client } = await connect(flags, this.config.version);
    const bundles = await client.listBundles();
    if (bundles.length === 0) this.note('There are none. Next: vkit policy deploy');
    else {
      const table = renderTable(bundles, [
        { heading: 'version', value: ({ version }) => version },
        { heading: 'state', value: ({ state }) => state },
        { heading: 'sequence', value: ({ sequence }) => sequence, align: 'right' },
        { heading: 'commit', value: ({ bundle_version }) => bundle_version.slice(0, 12) },
        { heading: 'checksum', value: ({ checksum }) => checksum.slice(0, 12), below: true },
        { heading: 'signed by', value: ({ key_id }) => key_id?.slice(0, 8), below: true },
        { heading: 'uploaded', value: ({ uploaded_at }) => formatTime(uploaded_at) },
        { heading: 'reason', value: ({ reason }) => reason, below: true },
      ]);
      this.log(table);
      this.note(nextOfBundles(bundles));
    }
    return bundles;
  }

  private async listLocal(flags: { dir?: string | undefined }): Promise<unknown> {
    // Reading a project loads parsers and engines that a look at the server does not need.
    const { loadProject } = await import('../../services/load-project.js');
    const { root } = await findProject(projectContext(flags).cwd);
    const { policies, findings } = await loadProject(root);
    this.noteFindings(findings);
    const items = policies.map(({ policy, file }) => ({
      id: policy.id,
      action: policy.action,
      priority: policy.priority,
      file,
      ...(policy.description === undefined ? {} : { description: policy.description }),
    }));
    if (items.length === 0) this.note('There are none. Next: vkit policy pack add starter');
    else {
      const table = renderTable(items, [
        { heading: 'policy', value: ({ id }) => id },
        { heading: 'action', value: ({ action }) => action },
        { heading: 'priority', value: ({ priority }) => priority, align: 'right' },
        { heading: 'file', value: ({ file }) => file, below: true },
      ]);
      this.log(table);
      this.note('Next: vkit policy validate');
    }
    return items;
  }
}
