import type { EventEmitter } from 'node:events';
import type { MysqlRow } from './session.js';

/** What the reader needs of a connection. */
export interface PausableConnection extends EventEmitter {
  pause(): void;
  resume(): void;
}

/** Reads the rows of one statement as they are asked for; between two batches the connection is paused. */
export interface RowReader {
  /** Once the statement has begun to answer. */
  opened: Promise<void>;
  /** The next rows; fewer than asked for at the end. One call at a time. */
  fetch(rows: number): Promise<readonly MysqlRow[]>;
  isDone(): boolean;
}

/** `command` emits `fields`, `result` for each row, `error` and `end`, as mysql2's do where they have no callback. */
export function createRowReader(connection: PausableConnection, command: EventEmitter): RowReader {
  let rows: MysqlRow[] = [];
  let wanted = 0;
  let isPaused = false;
  let isDone = false;
  let failure: unknown;
  let wake: (() => void) | undefined;

  const settle = () => {
    wake?.();
    wake = undefined;
  };
  const finish = () => {
    isDone = true;
    connection.off('error', onError);
    settle();
  };
  const onError = (error: unknown) => {
    failure ??= error;
    finish();
  };
  // A connection that is lost says so itself, and not through the statement.
  connection.on('error', onError);
  command.on('error', onError);
  command.on('end', finish);
  command.on('result', (row: MysqlRow) => {
    rows.push(row);
    if (rows.length < wanted) return;
    isPaused = true;
    connection.pause();
    settle();
  });
  const opened = new Promise<void>((resolve, reject) => {
    command.once('fields', () => resolve());
    wake = () => (failure === undefined ? resolve() : reject(failure));
  });

  return {
    opened,
    isDone: () => isDone,
    async fetch(count) {
      wanted = count;
      if (rows.length < count && !isDone) {
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
        });
        if (isPaused) {
          isPaused = false;
          connection.resume();
        }
        await woken;
      }
      if (failure !== undefined) throw failure;
      const batch = rows.slice(0, count);
      rows = rows.slice(count);
      return batch;
    },
  };
}
