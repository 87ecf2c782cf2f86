import { option } from '@oclif/core/flags';
import type { AuditRecord } from '../../audit/model.js';
import { recordLine } from '../../audit/record-hash.js';
import { auditFilterFlags, auditFilterOf } from '../../cli/audit-flags.js';
import { auditLines } from '../../cli/audit-table.js';
import { BaseCommand, PRINTED } from '../../cli/base-command.js';
import { connect } from '../../cli/connect.js';
import { countFlag, durationFlag, serverFlags } from '../../cli/flags.js';
import { pollUntilInterrupted } from '../../cli/poll.js';
import type { AuditOptions, VkitClient } from '../../client/vkit-client.js';

/** Records read in one look; the rest comes with the next. */
const LOOK_MAX = 500;

const INTERVAL_SECONDS = 2;

export default class AuditTail extends BaseCommand {
  static override summary = 'Follow the audit log until Ctrl-C.';
  static override description =
    `Goes on where it was when the server comes back. --after continues an earlier tail: nothing between is left out. With \
--json it prints the last records and ends.`;
  static override examples = [
    '<%= config.bin %> audit tail',
    '<%= config.bin %> audit tail --action query.executed --interval 5s',
    '<%= config.bin %> audit tail --after 4711 --format jsonl >> audit.jsonl',
  ];
  static override flags = {
    ...serverFlags,
    ...auditFilterFlags,
    limit: countFlag({
      description: 'How many records to begin with.',
      default: 10,
      min: 1,
      max: 500,
    }),
    after: countFlag({
      description: 'Begin with the record after this number, instead of the last ones.',
      min: 0,
      max: 1e15 - 1,
      exclusive: ['limit'],
      helpValue: 'SEQ',
    }),
    format: option({
      description: 'Form of the records; jsonl is one canonical record a line.',
      options: ['table', 'jsonl'] as const,
      default: 'table' as const,
    })(),
    interval: durationFlag({
      description: `How often to look; every ${INTERVAL_SECONDS}s if absent.`,
      helpValue: '10s',
    }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(AuditTail);
    const { client } = await connect(flags, this.config.version);
    const filter = auditFilterOf(flags);
    const lines = flags.format === 'jsonl' ? recordLines : auditLines();
    const print = (records: readonly AuditRecord[]) => {
      for (const line of lines(records)) this.log(line);
    };
    const begin = await beginning(client, filter, flags);
    if (this.jsonEnabled()) return begin.map((record) => ({ id: record.audit_id, ...record }));
    print(begin);
    let after = begin.at(-1)?.seq ?? flags.after ?? 0;
    await pollUntilInterrupted((flags.interval ?? INTERVAL_SECONDS) * 1000, async () => {
      // All that there is by now, which may be more than one look takes.
      for (let more = true; more; ) {
        const cursor = String(after);
        const page = await client.readAudit({ ...filter, order: 'asc', cursor, limit: LOOK_MAX });
        print(page.records);
        after = page.records.at(-1)?.seq ?? after;
        more = page.next_cursor !== null && page.records.length > 0;
      }
    });
    return PRINTED;
  }
}

function recordLines(records: readonly AuditRecord[]): string[] {
  return records.map(recordLine);
}

/** What is printed first: what came after a number, or the last ones. */
async function beginning(
  client: VkitClient,
  filter: AuditOptions,
  { after, limit }: { after?: number | undefined; limit: number },
): Promise<readonly AuditRecord[]> {
  if (after !== undefined) {
    const cursor = String(after);
    return (await client.readAudit({ ...filter, order: 'asc', cursor, limit: LOOK_MAX })).records;
  }
  return [...(await client.readAudit({ ...filter, order: 'desc', limit })).records].reverse();
}
