import { auditFilterFlags, auditFilterOf } from '../../cli/audit-flags.js';
import { auditLine } from '../../cli/audit-table.js';
import { BaseCommand, PRINTED } from '../../cli/base-command.js';
import { connect } from '../../cli/connect.js';
import { countFlag, durationFlag, serverFlags } from '../../cli/flags.js';
import { pollUntilInterrupted } from '../../cli/poll.js';

/** Records read in one look; the rest comes with the next. */
const LOOK_MAX = 500;

const INTERVAL_SECONDS = 2;

export default class AuditTail extends BaseCommand {
  static override summary = 'Follow the audit log until Ctrl-C.';
  static override description = 'With --json it prints the last records and ends.';
  static override examples = [
    '<%= config.bin %> audit tail',
    '<%= config.bin %> audit tail --action query.executed --interval 5s',
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
    interval: durationFlag({
      description: `How often to look; every ${INTERVAL_SECONDS}s if absent.`,
      helpValue: '10s',
    }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(AuditTail);
    const { client } = await connect(flags, this.config.version);
    const filter = auditFilterOf(flags);
    const newest = await client.readAudit({ ...filter, order: 'desc', limit: flags.limit });
    const begin = [...newest.records].reverse();
    if (this.jsonEnabled()) return begin.map((record) => ({ id: record.audit_id, ...record }));
    for (const record of begin) this.log(auditLine(record));
    let after = begin.at(-1)?.seq ?? 0;
    await pollUntilInterrupted((flags.interval ?? INTERVAL_SECONDS) * 1000, async () => {
      const cursor = String(after);
      const page = await client.readAudit({ ...filter, order: 'asc', cursor, limit: LOOK_MAX });
      for (const record of page.records) this.log(auditLine(record));
      after = page.records.at(-1)?.seq ?? after;
    });
    return PRINTED;
  }
}
