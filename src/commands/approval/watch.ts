import { approvalTable } from '../../cli/approval-table.js';
import { BaseCommand, PRINTED } from '../../cli/base-command.js';
import { connect } from '../../cli/connect.js';
import { formatTime } from '../../cli/facts.js';
import { durationFlag, serverFlags } from '../../cli/flags.js';
import { pollUntilInterrupted } from '../../cli/poll.js';
import { escapeTerminal } from '../../util/escape.js';

const LIST_MAX = 200;
const CLEAR_SCREEN = '\u001b[H\u001b[2J';

const INTERVAL_SECONDS = 5;

export default class ApprovalWatch extends BaseCommand {
  static override summary = 'Watch the requests that wait for your approval.';
  static override description =
    `On a terminal the list is redrawn until Ctrl-C; elsewhere each request is a line when it comes. With --json it prints \
what waits now and ends.`;
  static override examples = [
    '<%= config.bin %> approval watch',
    '<%= config.bin %> approval watch --interval 10s',
  ];
  static override flags = {
    ...serverFlags,
    interval: durationFlag({
      description: `How often to look; every ${INTERVAL_SECONDS}s if absent.`,
      helpValue: '10s',
    }),
  };

  async run(): Promise<unknown> {
    const { flags } = await this.parse(ApprovalWatch);
    const { client } = await connect(flags, this.config.version);
    const waiting = () => client.listApprovals({ state: 'pending', limit: LIST_MAX });
    if (this.jsonEnabled()) return waiting();
    const seen = new Set<string>();
    await pollUntilInterrupted((flags.interval ?? INTERVAL_SECONDS) * 1000, async () => {
      const items = await waiting();
      if (process.stdout.isTTY) {
        const now = Date.now();
        const heading = `Waiting for your approval at ${formatTime(new Date(now).toISOString())}`;
        const body = items.length === 0 ? 'Nothing.' : approvalTable(items, now);
        process.stdout.write(`${CLEAR_SCREEN}${heading}\n\n${body}\n`);
        return;
      }
      for (const item of items) {
        if (seen.has(item.id)) continue;
        const { requester, dataset, columns } = item;
        this.log(escapeTerminal(`${item.id}  ${requester}  ${dataset}  ${columns.join(', ')}`));
      }
      // Only those that still wait: the set never grows beyond one list.
      seen.clear();
      for (const { id } of items) seen.add(id);
    });
    return PRINTED;
  }
}
