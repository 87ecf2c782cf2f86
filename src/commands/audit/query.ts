import { option, string } from '@oclif/core/flags';
import type { AuditRecord } from '../../audit/model.js';
import { recordLine } from '../../audit/record-hash.js';
import { summariseRequest } from '../../audit/summarise-request.js';
import {
  auditFilterFlags,
  auditFilterOf,
  auditPeriodFlags,
  auditPeriodOf,
} from '../../cli/audit-flags.js';
import { auditCsv, auditTable, reportSummary } from '../../cli/audit-table.js';
import { BaseCommand, PRINTED } from '../../cli/base-command.js';
import { connect } from '../../cli/connect.js';
import { countFlag, serverFlags } from '../../cli/flags.js';
import { writeOutput } from '../../cli/write-output.js';
import { auditRecords } from '../../client/audit-records.js';
import type { VkitClient } from '../../client/vkit-client.js';
import { VkitError } from '../../errors/index.js';
import { escapeTerminalLines } from '../../util/escape.js';

const FORMATS = ['table', 'json', 'jsonl', 'csv'] as const;
/** Records of one request; a request that is fetched every second of its day has fewer. */
const REQUEST_RECORDS_MAX = 200_000;

export default class AuditQuery extends BaseCommand {
  static override summary = 'Look into the audit log, newest first.';
  static override description =
    'With --request it tells of one request as a whole: who, why, who approved, what was fetched.';
  static override examples = [
    '<%= config.bin %> audit query --user ada@example.com --days 7',
    '<%= config.bin %> audit query --request req_… --json',
  ];
  static override flags = {
    ...serverFlags,
    ...auditFilterFlags,
    ...auditPeriodFlags,
    limit: countFlag({
      description: 'How many records at most.',
      default: 50,
      min: 1,
      max: 100_000,
    }),
    format: option({ description: 'Form; json is the same as --json.', options: FORMATS })(),
    output: string({ char: 'o', description: 'File to write to.', helpValue: 'FILE' }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(AuditQuery);
    const { client } = await connect(flags, this.config.version);
    const filter = { ...auditFilterOf(flags), ...auditPeriodOf(flags, Date.now()) };
    const { request, output } = flags;
    const whole = request !== undefined && Object.keys(filter).length === 1;
    const json = this.jsonEnabled();
    const format = flags.format ?? (json || output !== undefined ? 'json' : 'table');
    if (json && output === undefined && format !== 'json') {
      throw new VkitError('usage', `--json prints one JSON document, not ${format}.`);
    }
    if (whole && (format === 'json' || format === 'table')) {
      const summary = await summaryOf(client, request);
      return this.deliver(summary, reportSummary(summary), { format, output });
    }
    const records = await collect(client, filter, flags.limit);
    if (records.length === 0) this.note('There are none.');
    if (records.length === 0 && format === 'table' && output === undefined) return [];
    const payload = records.map((record) => ({ id: record.audit_id, ...record }));
    return this.deliver(payload, textOf(records, format), { format, output });
  }

  private async deliver(
    payload: object,
    text: string,
    { format, output }: { format: (typeof FORMATS)[number]; output: string | undefined },
  ): Promise<unknown> {
    if (output !== undefined) {
      const content = format === 'json' ? JSON.stringify(payload, null, 2) : text.trimEnd();
      const bytes = await writeOutput(output, `${content}\n`);
      this.note(`Wrote ${bytes} bytes of ${format} to ${output}.`);
      return { output, format, bytes };
    }
    if (this.jsonEnabled()) return payload;
    const plain = text.replaceAll('\r\n', '\n').trimEnd();
    // A table is escaped cell by cell; the other forms are data, escaped where a terminal would obey them.
    this.log(format !== 'table' && process.stdout.isTTY ? escapeTerminalLines(plain) : plain);
    return PRINTED;
  }
}

function textOf(records: readonly AuditRecord[], format: (typeof FORMATS)[number]): string {
  if (format === 'csv') return auditCsv(records);
  return format === 'jsonl'
    ? records.map((record) => `${recordLine(record)}\n`).join('')
    : auditTable(records);
}

async function summaryOf(client: VkitClient, request: string) {
  const records = await collect(client, { request, order: 'asc' }, REQUEST_RECORDS_MAX);
  const summary = summariseRequest(request, records);
  if (summary) return summary;
  throw new VkitError('not_found', `The audit log has no request ${request.slice(0, 64)}.`, {
    hint: 'See: vkit audit query --action request.granted',
  });
}

async function collect(
  client: VkitClient,
  filter: Parameters<typeof auditRecords>[1],
  count: number,
): Promise<AuditRecord[]> {
  const records: AuditRecord[] = [];
  for await (const record of auditRecords(client, { ...filter, count })) records.push(record);
  return records;
}
