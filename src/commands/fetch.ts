import { option, string } from '@oclif/core/flags';
import { BaseCommand, PRINTED } from '../cli/base-command.js';
import { connect } from '../cli/connect.js';
import { deliverRows, ROW_FORMATS } from '../cli/deliver-rows.js';
import { serverFlags } from '../cli/flags.js';
import { grantArgs, grantFlags } from '../cli/grant-flags.js';
import { requireOneOf } from '../cli/require-one-of.js';

export default class FetchCommand extends BaseCommand {
  static override summary = 'Run the query of a grant and print its rows.';
  static override description =
    `A grant can be fetched until it expires; the policies are asked again each time. Prints a table on a terminal and \
JSON elsewhere. CSV cells that a spreadsheet would run are escaped. A file is written whole or not at all.`;
  static override examples = [
    '<%= config.bin %> fetch --grant gr_…',
    '<%= config.bin %> fetch -g gr_… --format csv --output rows.csv',
  ];
  static override args = grantArgs;
  static override flags = {
    ...serverFlags,
    ...grantFlags,
    format: option({
      description: 'Form of the rows; json is the same as --json.',
      options: ROW_FORMATS,
    })(),
    output: string({ char: 'o', description: 'File for the rows.', helpValue: 'FILE' }),
  };

  async run(): Promise<unknown> {
    const { args, flags } = await this.parse(FetchCommand);
    const ref = requireOneOf(args.ref, flags.grant, 'grant', {
      thing: 'grant',
      list: 'vkit requests list',
    });
    const { client } = await connect(flags, this.config.version);
    const { format, output } = flags;
    const note = (text: string) => this.note(text);
    const options = { format, output, json: this.jsonEnabled(), note };
    return (await deliverRows(client, ref, options)) ?? PRINTED;
  }
}
