import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** About what one audit record takes. */
const RECORD = Buffer.alloc(1_024, 'r');

/** Durable commits that a disk allows one by one: a write of a record at the end of a file, and its fdatasync. */
export function commitsPerSecond(folder: string, seconds: number): number {
  const file = openSync(join(folder, 'commits'), 'w');
  let commits = 0;
  const startedAt = performance.now();
  const until = startedAt + seconds * 1_000;
  while (performance.now() < until) {
    writeSync(file, RECORD);
    fdatasyncSync(file);
    commits += 1;
  }
  const took = (performance.now() - startedAt) / 1_000;
  closeSync(file);
  return commits / took;
}
