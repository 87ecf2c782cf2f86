import { string } from '@oclif/core/flags';
import type { AuditRecord } from '../../audit/model.js';
import { recordLine } from '../../audit/record-hash.js';
import { auditPeriodFlags, auditPeriodOf } from '../../cli/audit-flags.js';
import { BaseCommand, PRINTED } from '../../cli/base-command.js';
import { connect } from '../../cli/connect.js';
import { serverFlags } from '../../cli/flags.js';
import { pipeToStdout, writeOutput } from '../../cli/write-output.js';
import { auditRecords } from '../../client/audit-records.js';

export default class AuditExport extends BaseCommand {
  static override summary = 'Export the audit log as JSON Lines.';
  static override description =
    `One canonical record a line, oldest first, as vkit audit verify --file takes it. Keep the number and hash of the last \
record elsewhere: they show a tail that was cut off later.`;
  static override examples = [
    '<%= config.bin %> audit export --output audit.jsonl',
    '<%= config.bin %> audit export --start-date 2026-03-01 --end-date 2026-03-31 > march.jsonl',
  ];
  static override flags = {
    ...serverFlags,
    ...auditPeriodFlags,
    output: string({ char: 'o', description: 'File to write to.', helpValue: 'FILE' }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(AuditExport);
    const { client } = await connect(flags, this.config.version);
    const period = auditPeriodOf(flags, Date.now());
    const records = auditRecords(client, { ...period, order: 'asc' });
    const seen: Seen = { count: 0, last: null };
    if (flags.output !== undefined) {
      const bytes = await writeOutput(flags.output, lines(records, seen));
      this.log(`Wrote ${seen.count} records to ${flags.output}.`);
      if (seen.last) this.log(`Last record: ${seen.last.seq} ${seen.last.hash}`);
      return { output: flags.output, bytes, ...seen };
    }
    if (!this.jsonEnabled()) {
      await pipeToStdout(lines(records, seen));
      return PRINTED;
    }
    const all: object[] = [];
    for await (const record of records) all.push({ id: record.audit_id, ...record });
    return all;
  }
}

interface Seen {
  count: number;
  last: { seq: number; hash: string } | null;
}

async function* lines(records: AsyncIterable<AuditRecord>, seen: Seen): AsyncGenerator<string> {
  for await (const record of records) {
    seen.count += 1;
    seen.last = { seq: record.seq, hash: record.hash };
    yield `${recordLine(record)}\n`;
  }
}
