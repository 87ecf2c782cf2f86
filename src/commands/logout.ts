import { BaseCommand } from '../cli/base-command.js';
import { connect } from '../cli/connect.js';
import { serverFlags } from '../cli/flags.js';
import { forgetLogin } from '../client/credentials-file.js';
import { readEnvironment } from '../config/env.js';
import { VkitError } from '../errors/index.js';

export default class LogoutCommand extends BaseCommand {
  static override summary = 'End the session and forget its token.';
  static override examples = ['<%= config.bin %> logout'];
  static override flags = { ...serverFlags };

  async run(): Promise<object> {
    const { flags } = await this.parse(LogoutCommand);
    const { client, endpoint } = await connect(flags, this.config.version);
    try {
      await client.logOut();
    } catch (error) {
      // A session that has ended already needs no ending; one that cannot be reached is still forgotten here.
      const code = error instanceof VkitError ? error.code : undefined;
      if (code !== 'unauthenticated' && code !== 'server_unreachable') throw error;
      if (code === 'server_unreachable')
        this.warn(`${endpoint} does not answer; the session ends there by itself.`);
    }
    const { configHome, profile } = readEnvironment();
    await forgetLogin(configHome, flags.profile ?? profile);
    this.log(`Logged out of ${endpoint}.`);
    return { status: 'logged_out', endpoint };
  }
}
