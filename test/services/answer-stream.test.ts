import { describe, expect, it } from 'vitest';
import type { AuditEvent } from '../../src/audit/model.js';
import type { EncodedRow } from '../../src/engines/contract.js';
import { VkitError } from '../../src/errors/index.js';
import { Activity } from '../../src/services/control/activity.js';
import { answerStream } from '../../src/services/control/answer-stream.js';
import { RunningQueries } from '../../src/services/control/running-queries.js';

type Input = Parameters<typeof answerStream>[0];

/** An answer over batches that are there, and what is recorded of it. */
function answer(batches: () => AsyncGenerator<readonly EncodedRow[]>, onDisk: () => Promise<void>) {
  const recorded: AuditEvent[] = [];
  const running = new RunningQueries(1).start('usr_1', 'gr_1');
  const pull = batches();
  const start = async (rowsMax: number) =>
    answerStream({
      ctx: {
        now: () => 0,
        activity: new Activity(),
        settings: { streamDeadlineSeconds: 60 },
        store: {
          record: async (event: AuditEvent) => {
            recorded.push(event);
            return { auditId: 'audit_2', onDisk: async () => {} };
          },
        },
      },
      call: { correlationId: 'c' },
      permitted: { grant: { id: 'gr_1' }, parts: {}, startedId: 'audit_1', onDisk },
      execution: { columns: [], rowsMax, truncatable: false },
      pull,
      first: await pull.next(),
      running,
      startedAt: 0,
    } as unknown as Input);
  return { recorded, running, start };
}

async function read(stream: Awaited<ReturnType<ReturnType<typeof answer>['start']>>) {
  const rows: EncodedRow[] = [];
  for await (const batch of stream.batches) rows.push(...batch);
  return rows;
}

const ROWS: readonly EncodedRow[] = [['1'], ['2']];

describe('the record of how many rows left', () => {
  it('says none where a revocation came before them', async () => {
    const revoked = new VkitError('grant_revoked', 'Revoked.');
    const { recorded, running, start } = answer(
      async function* () {
        yield ROWS;
        running.abort(revoked);
      },
      async () => {},
    );
    await expect(read(await start(10))).rejects.toBe(revoked);
    expect(recorded).toMatchObject([
      { event: 'query.failed', execution: { rows_returned: 0, error: 'grant_revoked' } },
    ]);
  });

  for (const rowsMax of [10, 10_000]) {
    it(`is written for up to ${rowsMax} rows, and says how many`, async () => {
      const { recorded, start } = answer(
        async function* () {
          yield ROWS;
          yield ROWS;
        },
        async () => {},
      );
      expect(await read(await start(rowsMax))).toHaveLength(4);
      expect(recorded).toMatchObject([
        { event: 'query.executed', of: 'audit_1', execution: { rows_returned: 4 } },
      ]);
    });
  }

  it('says none where the record before it cannot be brought to disk', async () => {
    const lost = new VkitError('unavailable', 'The disk is full.');
    const { recorded, start } = answer(
      async function* () {
        yield ROWS;
      },
      async () => {
        throw lost;
      },
    );
    await expect(read(await start(10_000))).rejects.toBe(lost);
    expect(recorded).toMatchObject([{ event: 'query.failed', execution: { rows_returned: 0 } }]);
  });
});
