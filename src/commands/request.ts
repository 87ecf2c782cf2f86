import { boolean, option, string } from '@oclif/core/flags';
import { BaseCommand, PRINTED } from '../cli/base-command.js';
import { connect } from '../cli/connect.js';
import { deliverRows, ROW_FORMATS } from '../cli/deliver-rows.js';
import { durationFlag, jsonFlag, serverFlags } from '../cli/flags.js';
import { startProgress } from '../cli/progress.js';
import { readAql } from '../cli/read-aql.js';
import { exitCodeOf, nextStep, reportRequest, suggestionLines } from '../cli/request-report.js';
import type { SubmitBody } from '../client/wire.js';
import { VkitError } from '../errors/index.js';

export default class RequestCommand extends BaseCommand {
  static override summary = 'Ask for data with a query in AQL.';
  static override description =
    `The query comes from --aql, --file or stdin. Exits 0 when it is granted, 3 when it is denied and 4 when somebody has \
to approve it first. With --wait it blocks until that is decided, then fetches the rows and prints them as vkit fetch \
does.`;
  static override examples = [
    `<%= config.bin %> request --aql '{"source_table": "customers", "columns": ["id", "email"]}'`,
    '<%= config.bin %> request --file query.json --reason "ticket 4711" --wait --format csv --output rows.csv',
  ];
  static override flags = {
    ...serverFlags,
    aql: jsonFlag({ description: 'The query.', exclusive: ['file'] }),
    file: string({ description: 'File that holds the query; - is stdin.', helpValue: 'FILE' }),
    datasource: string({
      description: 'Where the dataset is, if several datasources have it.',
      helpValue: 'ID',
    }),
    role: string({ description: 'Role to act in, one of your own.', helpValue: 'NAME' }),
    env: string({
      description: 'Environment the datasource has to be of.',
      aliases: ['environment'],
      helpValue: 'NAME',
    }),
    purpose: string({ description: 'What the data is for.', helpValue: 'TEXT' }),
    reason: string({ description: 'Why, for whoever approves it.', helpValue: 'TEXT' }),
    metadata: jsonFlag({ description: 'Keys that policies require, such as a ticket.' }),
    ttl: durationFlag({ description: 'How long the grant is wanted; it only shortens.' }),
    'approval-required': boolean({
      description: 'Say that you are ready to wait for an approval.',
    }),
    'requester-region': string({ description: 'Your region, as you have it.', helpValue: 'NAME' }),
    'requester-clearance': string({
      description: 'Clearance to act with, not above your own.',
      helpValue: 'NAME',
    }),
    'dataset-region': string({
      description: 'Region the datasource has to be in.',
      helpValue: 'NAME',
    }),
    wait: boolean({ description: 'Wait until it is decided, then fetch the rows.' }),
    format: option({
      description: 'Form of the rows with --wait; json is the same as --json.',
      options: ROW_FORMATS,
    })(),
    output: string({
      char: 'o',
      description: 'File for the rows of --wait.',
      helpValue: 'FILE',
      dependsOn: ['wait'],
    }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(RequestCommand);
    const json = this.jsonEnabled();
    if (!flags.wait && flags.format !== undefined && flags.format !== 'json') {
      throw new VkitError('usage', '--format is for the rows of --wait.', {
        hint: 'Add --wait, or fetch the rows with: vkit fetch --grant REF',
      });
    }
    const body = compact({
      aql: flags.aql ?? (await readAql(flags.file)),
      datasource: flags.datasource,
      role: flags.role,
      environment: flags.env,
      purpose: flags.purpose,
      reason: flags.reason,
      metadata: flags.metadata,
      ttl_seconds: flags.ttl,
      approval_required: flags['approval-required'] || undefined,
      requester_region: flags['requester-region'],
      requester_clearance: flags['requester-clearance'],
      dataset_region: flags['dataset-region'],
    });
    const { client } = await connect(flags, this.config.version);
    let answer = await client.submitRequest(body as SubmitBody);
    if (flags.wait && answer.state === 'pending') {
      this.note(`${answer.request_id} waits for an approval; Ctrl-C leaves it waiting.`);
      const progress = await startProgress('Waiting for an approval', { json });
      answer = await client.waitForDecision(answer).finally(() => progress.stop());
    }
    const exitCode = exitCodeOf(answer);
    if (flags.wait && exitCode === 0 && answer.grant_ref !== undefined) {
      const { request_id, grant_ref } = answer;
      const { format, output } = flags;
      const note = (text: string) => this.note(text);
      const about = { request_id, grant_ref, grant_id: grant_ref };
      const put = await deliverRows(client, grant_ref, { format, output, json, about, note });
      return put === null ? PRINTED : { request_id, ...put };
    }
    const now = Date.now();
    this.log(reportRequest(answer, now));
    this.note(suggestionLines(answer) ?? nextStep(answer, { now, reader: 'requester' }));
    return exitCode === 0 ? answer : this.answer(exitCode, answer);
  }
}

/** Without the keys nothing was said about. */
function compact(body: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}
