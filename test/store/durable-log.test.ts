import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type DurableLog, openDurableLog, type Sync } from '../../src/store/durable-log.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';

interface Watched {
  log: DurableLog;
  /** The syncs that were asked for and have not ended; calling one ends it. */
  syncs: ((error: Error | null) => void)[];
}

async function watched(): Promise<Watched> {
  const path = join(await temporaryFolder(), 'log');
  await writeFile(path, '');
  const syncs: Watched['syncs'] = [];
  const sync: Sync = (_descriptor, done) => void syncs.push(done);
  return { log: openDurableLog(path, sync), syncs };
}

/** Everything that is ready to go on has gone on. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('a durable log', () => {
  it('serves all who come while a sync runs with one more', async () => {
    const { log, syncs } = await watched();
    const told: string[] = [];
    const ask = async (name: string) => {
      await log.durable();
      told.push(name);
    };
    void ask('first');
    void ask('second');
    void ask('third');
    await settled();
    expect(syncs).toHaveLength(1);
    syncs.shift()?.(null);
    await settled();
    // The first sync may have missed what the others had written.
    expect(told).toEqual(['first']);
    expect(syncs).toHaveLength(1);
    void ask('fourth');
    syncs.shift()?.(null);
    await settled();
    expect(told).toEqual(['first', 'second', 'third']);
    syncs.shift()?.(null);
    await settled();
    expect(told).toEqual(['first', 'second', 'third', 'fourth']);
    await log.close();
  });

  it('fails for good once a sync has failed', async () => {
    const { log, syncs } = await watched();
    const answers = [log.durable(), log.durable()];
    syncs.shift()?.(new Error('EIO'));
    for (const answer of answers) await expect(answer).rejects.toThrow('EIO');
    await expect(log.durable()).rejects.toThrow('EIO');
    expect(syncs).toEqual([]);
    await log.close();
  });

  it('waits for what is under way before it closes', async () => {
    const { log, syncs } = await watched();
    const answers = [log.durable(), log.durable()];
    let closed = false;
    const closing = log.close().then(() => {
      closed = true;
    });
    for (let sync = 0; sync < 2; sync += 1) {
      await settled();
      expect(closed).toBe(false);
      syncs.shift()?.(null);
    }
    await Promise.all(answers);
    await closing;
  });
});
