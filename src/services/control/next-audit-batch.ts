import { canonicalText } from '../../audit/record-hash.js';
import type { SinkBatch, SinkEntry } from '../../audit/sinks/contract.js';
import type { OpenedSink } from '../../audit/sinks/index.js';
import type { AuditCheckpointRow, AuditSinkRow, Store } from '../../store/model.js';
import { checkpointItem } from './list-checkpoints.js';

/** Of the lines of one batch, the last of them aside. */
const BATCH_BYTES_MAX = 1_048_576;
/** Lines that are read at once: some are as large as a record may be. */
const READ_MAX = 200;
const CHECKPOINTS_MAX = 100;

export interface NextBatchOptions {
  store: Pick<Store, 'audit' | 'auditCheckpoints'>;
  opened: Pick<OpenedSink, 'kind'>;
  now: () => number;
}

/**
 * What comes next for a sink: records, up to a checkpoint if there is one, which then follows; or checkpoints of records that it
 * has. Empty where it has everything, or where there is too little yet for a batch.
 */
export async function nextBatch(options: NextBatchOptions, row: AuditSinkRow): Promise<SinkBatch> {
  const { store } = options;
  const checkpoints = await store.auditCheckpoints.list({
    order: 'asc',
    afterSeq: row.checkpoint_seq,
    limit: CHECKPOINTS_MAX,
  });
  const late = checkpoints.filter(({ seq }) => seq <= row.seq);
  if (late.length > 0) return late.map(checkpointEntry);
  const [next] = checkpoints;
  const records = await readRecords(options, row.seq, next?.seq);
  const last = records.at(-1);
  if (last === undefined) return [];
  if (next?.seq === last.seq) return [...records, checkpointEntry(next)];
  return isDue(options, records) ? records : [];
}

async function readRecords(
  { store, opened }: NextBatchOptions,
  afterSeq: number,
  upToSeq: number | undefined,
): Promise<SinkEntry[]> {
  const records: SinkEntry[] = [];
  let bytes = 0;
  while (records.length < opened.kind.batchMax) {
    const limit = Math.min(READ_MAX, opened.kind.batchMax - records.length);
    const lines = await store.audit.lines({
      order: 'asc',
      afterSeq: records.at(-1)?.seq ?? afterSeq,
      ...(upToSeq === undefined ? {} : { beforeSeq: upToSeq + 1 }),
      limit,
    });
    for (const { seq, hash, timestamp, line } of lines) {
      records.push({ kind: 'record', seq, hash, timestamp, line });
      bytes += Buffer.byteLength(line);
      if (bytes > BATCH_BYTES_MAX) return records;
    }
    if (lines.length < limit) break;
  }
  return records;
}

function isDue({ opened, now }: NextBatchOptions, records: readonly SinkEntry[]): boolean {
  const { batchMax, lingerSeconds } = opened.kind;
  const [oldest] = records;
  if (records.length >= batchMax || oldest === undefined) return true;
  // A clock that was set back must not keep records here.
  return Math.abs(now() - Date.parse(oldest.timestamp)) >= lingerSeconds * 1000;
}

function checkpointEntry(row: AuditCheckpointRow): SinkEntry {
  const { hash, ...item } = checkpointItem(row);
  const line = canonicalText({ checkpoint: { ...item, hash } });
  return { kind: 'checkpoint', seq: row.seq, hash: hash ?? '', timestamp: row.timestamp, line };
}
