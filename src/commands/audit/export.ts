import { option, string } from '@oclif/core/flags';
import { splitLines } from '../../audit/split-lines.js';
import {
  auditFilterFlags,
  auditFilterOf,
  auditPeriodFlags,
  auditPeriodOf,
} from '../../cli/audit-flags.js';
import { BaseCommand, PRINTED } from '../../cli/base-command.js';
import { connect } from '../../cli/connect.js';
import { countFlag, serverFlags } from '../../cli/flags.js';
import { pipeToStdout, writeOutput } from '../../cli/write-output.js';
import { VkitError } from '../../errors/index.js';

export default class AuditExport extends BaseCommand {
  static override summary = 'Export the audit log as JSON Lines or CSV.';
  static override description =
    `Oldest first, up to the last record at this moment. JSON Lines hold one canonical record a line, as vkit audit verify \
takes them; CSV is for spreadsheets and cannot be verified. Keep an export elsewhere: vkit audit verify --checkpoint finds with \
it a tail that was cut off later.`;
  static override examples = [
    '<%= config.bin %> audit export --output audit.jsonl',
    '<%= config.bin %> audit export --format csv --start-date 2026-03-01 --end-date 2026-03-31 > march.csv',
  ];
  static override flags = {
    ...serverFlags,
    ...auditFilterFlags,
    ...auditPeriodFlags,
    limit: countFlag({
      description: 'How many records at most; all if absent.',
      min: 1,
      max: 1e12,
    }),
    format: option({
      description: 'Form of the records.',
      options: ['jsonl', 'csv'] as const,
      default: 'jsonl' as const,
    })(),
    output: string({ char: 'o', description: 'File to write to.', helpValue: 'FILE' }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(AuditExport);
    const { format, limit, output } = flags;
    if (this.jsonEnabled() && output === undefined && format !== 'jsonl') {
      throw new VkitError('usage', `--json prints one JSON document, not ${format}.`);
    }
    const { client } = await connect(flags, this.config.version);
    const pieces = await client.exportAudit({
      ...auditFilterOf(flags),
      ...auditPeriodOf(flags, Date.now()),
      ...(limit === undefined ? {} : { limit }),
      format,
    });
    if (output !== undefined && format === 'csv') {
      const bytes = await writeOutput(output, pieces);
      this.log(`Wrote ${bytes} bytes of csv to ${output}.`);
      return { output, format, bytes };
    }
    if (output !== undefined) {
      const seen: Seen = { count: 0, last: null };
      const bytes = await writeOutput(output, watched(pieces, seen));
      this.log(`Wrote ${seen.count} records to ${output}.`);
      if (seen.last) this.log(`Last record: ${seen.last.seq} ${seen.last.hash}`);
      return { output, format, bytes, ...seen };
    }
    if (!this.jsonEnabled()) {
      await pipeToStdout(pieces);
      return PRINTED;
    }
    const all: object[] = [];
    for await (const line of splitLines(pieces)) {
      const record = JSON.parse(line ?? 'null') as { audit_id?: string } | null;
      if (record?.audit_id !== undefined) all.push({ id: record.audit_id, ...record });
    }
    return all;
  }
}

interface Seen {
  count: number;
  last: { seq: number; hash: string } | null;
}

/** The pieces as they are, with their records counted. */
async function* watched(
  pieces: AsyncIterable<Uint8Array>,
  seen: Seen,
): AsyncGenerator<string, void, undefined> {
  for await (const line of splitLines(pieces)) {
    if (line === undefined)
      throw new VkitError('unavailable', 'The server sent what is no record.');
    const { seq, hash } = JSON.parse(line) as { seq?: number; hash?: string };
    if (seq !== undefined && hash !== undefined) {
      seen.count += 1;
      seen.last = { seq, hash };
    }
    yield `${line}\n`;
  }
}
