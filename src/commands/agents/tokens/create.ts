import { string } from '@oclif/core/flags';
import { attributeFlags, attributesOf } from '../../../cli/attribute-flags.js';
import { BaseCommand } from '../../../cli/base-command.js';
import { connect } from '../../../cli/connect.js';
import { formatMoment, renderFacts } from '../../../cli/facts.js';
import { durationFlag, serverFlags } from '../../../cli/flags.js';
import { promptText } from '../../../cli/prompt.js';
import { rolesOfRequester } from '../../../policy/requester-roles.js';
import { escapeTerminal } from '../../../util/escape.js';

export default class AgentsTokensCreate extends BaseCommand {
  static override summary = 'Make a token for an agent.';
  static override description =
    `The token is printed this once and stored as a hash. The agent has the roles agent and ai_agent beside those given, \
and with --on-behalf-of never more than that person.`;
  static override examples = [
    '<%= config.bin %> agents tokens create --name report-bot --region US --expires-in 24h',
  ];
  static override flags = {
    ...serverFlags,
    ...attributeFlags,
    name: string({ description: 'What people call the agent.', helpValue: 'TEXT' }),
    datasource: string({
      description: 'The only datasource there is for it; may be given several times.',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'ID',
    }),
    'on-behalf-of': string({
      description: 'Person it acts for: an id or an email address.',
      helpValue: 'ID',
    }),
    'expires-in': durationFlag({ description: 'How long the token holds; for ever if absent.' }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(AgentsTokensCreate);
    const name = flags.name ?? (await promptText('Name of the agent', '--name'));
    const { client } = await connect(flags, this.config.version);
    const created = await client.createAgentToken({
      name,
      ...attributesOf(flags),
      ...(flags.datasource === undefined ? {} : { datasources: flags.datasource }),
      ...(flags['on-behalf-of'] === undefined ? {} : { on_behalf_of: flags['on-behalf-of'] }),
      ...(flags['expires-in'] === undefined ? {} : { expires_in_seconds: flags['expires-in'] }),
    });
    this.log(`${escapeTerminal(created.name)}  ${escapeTerminal(created.id)}`);
    this.log(
      renderFacts([
        ['roles', rolesOfRequester(created.roles, true).join(', ')],
        ['clearance', created.clearance],
        ['region', created.region],
        ['purposes', created.purposes.join(', ')],
        ['datasources', created.datasources?.join(', ') ?? 'all'],
        ['on behalf of', created.on_behalf_of],
        ['expires', created.expires_at && formatMoment(created.expires_at, Date.now())],
        ['token', created.token],
      ]),
    );
    this.note('The token is shown this once. Give it to the agent as VKIT_TOKEN.');
    return created;
  }
}
