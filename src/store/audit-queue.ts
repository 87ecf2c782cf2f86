import type { AuditEvent } from '../audit/model.js';
import { type AuditSigner, type SealedRecord, sealRecord } from '../audit/seal-record.js';
import { VkitError } from '../errors/index.js';
import { randomId } from '../util/random-id.js';
import type { RecordedEvent } from './model.js';
import {
  type AuditHead,
  auditHead,
  auditIndexing,
  auditInsert,
  isIndexDue,
} from './repositories/audit.js';
import type { StoreDriver } from './store-driver.js';
import type { Db } from './tables.js';

/** Events that one transaction appends at most; the others wait for the next. */
const BATCH_MAX = 64;
/** Events that may wait. */
const WAITING_MAX = 10_000;

export interface AuditQueueOptions {
  driver: StoreDriver;
  /** Compiles the statements. */
  db: Db;
  signer: AuditSigner;
  /** As `Store.revision`. */
  revision: () => number;
}

interface Waiting {
  event: AuditEvent;
  revision: number | undefined;
  resolve: (record: RecordedEvent | null) => void;
  reject: (error: unknown) => void;
}

/**
 * Appends events that nothing else is written with, those that wait for the connection in one transaction. Answers
 * `Store.record`.
 */
export function auditQueue({ driver, db, signer, revision }: AuditQueueOptions) {
  const waiting: Waiting[] = [];
  let isRunning = false;

  const appendBatch = async (): Promise<void> => {
    const connection = await driver.acquireConnection();
    // Those that came while the connection was waited for are among them.
    const batch = waiting.splice(0, BATCH_MAX);
    const appended: { auditId: string; waiting: Waiting }[] = [];
    const sealed: [AuditEvent, SealedRecord][] = [];
    let failure: unknown;
    try {
      await driver.beginTransaction(connection, {});
      try {
        const { rows } = await connection.executeQuery<AuditHead>(auditHead(db));
        let previous = rows[0] ?? null;
        for (const one of batch) {
          if (one.revision !== undefined && one.revision !== revision()) {
            one.resolve(null);
            continue;
          }
          const auditId = randomId('audit');
          const record = seal(one, { previous, auditId, signer });
          if (record === undefined) continue;
          sealed.push([one.event, record]);
          appended.push({ auditId, waiting: one });
          previous = record;
        }
        if (sealed.length > 0) await connection.executeQuery(auditInsert(db, sealed));
        if (sealed.some(([, { seq }]) => isIndexDue(seq)))
          await connection.executeQuery(auditIndexing(db));
        await driver.commitTransaction(connection);
      } catch (error) {
        await driver.rollbackTransaction(connection);
        throw error;
      }
    } catch (error) {
      failure = error;
    }
    const onDisk = driver.endTurn(connection);
    for (const { auditId, waiting: one } of appended) {
      if (failure === undefined) one.resolve({ auditId, onDisk });
    }
    if (failure !== undefined) for (const one of batch) one.reject(failure);
  };

  const run = async (): Promise<void> => {
    isRunning = true;
    while (waiting.length > 0) {
      try {
        await appendBatch();
      } catch (error) {
        // The connection is not to be had: none of them can be recorded.
        for (const one of waiting.splice(0)) one.reject(error);
      }
    }
    isRunning = false;
  };

  return (event: AuditEvent, expected?: number): Promise<RecordedEvent | null> =>
    new Promise((resolve, reject) => {
      if (waiting.length >= WAITING_MAX) {
        reject(new VkitError('unavailable', 'Too many audit records wait to be written.'));
        return;
      }
      waiting.push({ event, revision: expected, resolve, reject });
      if (!isRunning) void run();
    });
}

/** What cannot be sealed is refused alone. */
function seal({ event, reject }: Waiting, input: Parameters<typeof sealRecord>[1]) {
  try {
    return sealRecord(event, input);
  } catch (error) {
    reject(error);
    return undefined;
  }
}
