import type { Readable } from 'node:stream';
import { plainError } from './error.js';
import type { SnowflakeRow } from './session.js';

/** Reads the rows of one statement as they are asked for; the stream holds a bounded number of them ready. */
export interface RowReader {
  /** The next rows; fewer than asked for at the end. One call at a time. */
  fetch(rows: number): Promise<readonly SnowflakeRow[]>;
  isDone(): boolean;
  /** Lets go of the stream: whoever waits for rows gets the error. */
  close(error: Error): void;
}

/** `stream` is one of rows as arrays, as snowflake-sdk's are: it says an error without being destroyed. */
export function createRowReader(stream: Readable): RowReader {
  let isDone = false;
  let failure: Error | undefined;
  let wake: (() => void) | undefined;

  const settle = () => {
    wake?.();
    wake = undefined;
  };
  const fail = (error: Error) => {
    if (isDone) return;
    isDone = true;
    failure = error;
    stream.destroy();
    settle();
  };
  stream.on('readable', settle);
  stream.on('error', (error) => fail(plainError(error)));
  stream.on('end', () => {
    isDone = true;
    settle();
  });
  stream.on('close', () => fail(new Error('The stream of rows was closed.')));

  return {
    isDone: () => isDone,
    close: fail,
    async fetch(count) {
      const rows: SnowflakeRow[] = [];
      while (rows.length < count && !isDone) {
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
        });
        const row: SnowflakeRow | null = stream.read();
        if (row !== null) rows.push(row);
        else if (!isDone) await woken;
      }
      if (failure !== undefined) throw failure;
      return rows;
    },
  };
}
