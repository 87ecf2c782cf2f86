import { VkitError } from '../../errors/index.js';
import type { SinkBatch, SinkPosition } from './contract.js';
import type { TailEntry } from './read-tail.js';

/** Entries of one batch of the file sink: what can be in a file that the sink does not remember. */
export const BATCH_MAX = 200;

interface Delivery {
  batch: SinkBatch;
  position: SinkPosition;
  path: string;
}

/**
 * Throws `conflict` unless the file ends with what this log was remembered to have sent, or with a part of one batch after it:
 * after a backup was restored, another log can go on from where the file does not end. A file without records is taken, as
 * one is that was begun anew when the former was moved away.
 */
export function refuseOtherLog(tail: readonly TailEntry[], delivery: Delivery): void {
  const { position, path } = delivery;
  const last = tail.find(({ kind }) => kind === 'record');
  if (last === undefined) return;
  const other = otherRecord(tail, delivery);
  if (other !== null) {
    throw conflict(`The file ${path} holds another record ${other} than the log of this server.`);
  }
  const remembered = `the server remembers having written up to ${position.seq}`;
  if (last.seq < position.seq) {
    throw conflict(`The file ${path} ends with record ${last.seq}, and ${remembered}.`);
  }
  if (last.seq > position.logSeq) {
    throw conflict(
      `The file ${path} goes on to record ${last.seq}, and the log of this server ends with ${position.logSeq}.`,
    );
  }
  if (last.seq > position.seq + BATCH_MAX) {
    throw conflict(`The file ${path} goes on to record ${last.seq}, and ${remembered}.`);
  }
}

/** The number of a record that the file and this log have differently, as far as is known here. */
function otherRecord(tail: readonly TailEntry[], { batch, position }: Delivery): number | null {
  const own = new Map(batch.filter(({ hash }) => hash !== '').map(({ seq, hash }) => [seq, hash]));
  if (position.hash !== null) own.set(position.seq, position.hash);
  const found = tail.find(({ seq, hash }) => {
    const expected = own.get(seq);
    return expected !== undefined && hash !== null && expected !== hash;
  });
  return found?.seq ?? null;
}

function conflict(message: string): VkitError {
  return new VkitError('conflict', message, {
    hint: 'Move that file away; if the server was restored from a backup, keep it: it holds what the backup lacks.',
  });
}
