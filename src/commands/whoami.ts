import { BaseCommand } from '../cli/base-command.js';
import { connect } from '../cli/connect.js';
import { serverFlags } from '../cli/flags.js';

export default class WhoamiCommand extends BaseCommand {
  static override summary = 'Show who you are to the server, with the attributes policies see.';
  static override examples = ['<%= config.bin %> whoami', '<%= config.bin %> whoami --json'];
  static override flags = { ...serverFlags };

  async run(): Promise<object> {
    const { flags } = await this.parse(WhoamiCommand);
    const { client, endpoint } = await connect(flags, this.config.version);
    const me = await client.whoAmI();
    this.log(`${me.name}  (${me.kind} ${me.id})`);
    this.log(`  server        ${endpoint}, organisation ${me.org}`);
    this.log(`  roles         ${me.roles.join(', ') || 'none'}`);
    this.log(`  clearance     ${me.clearance ?? 'none'}`);
    this.log(`  region        ${me.region ?? 'none'}`);
    if (me.purposes.length > 0) this.log(`  purposes      ${me.purposes.join(', ')}`);
    if (me.on_behalf_of !== null) this.log(`  on behalf of  ${me.on_behalf_of}`);
    return { endpoint, ...me };
  }
}
