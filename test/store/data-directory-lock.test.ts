import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/open-store.js';
import { SIGNER } from '../audit/chain-fixture.js';
import { startWriter } from './writer-process.js';

let home: string;
let dataDir: string;
const open = () => openStore({ dataDir, signer: SIGNER, now: Date.now });

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'vkit-lock-'));
  dataDir = join(home, 'data');
});

afterEach(() => rm(home, { recursive: true, force: true }));

describe('a data directory', () => {
  it('is private, with everything in it, also while it is written to', async () => {
    const store = await open();
    await store.audit.append({ event: 'user.created', timestamp: '2026-03-01T10:00:00.000Z' });
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    for (const name of ['vkit.db', 'vkit.db-wal', 'vkit.lock']) {
      expect((await stat(join(dataDir, name))).mode & 0o777).toBe(0o600);
    }
    await store.close();
    await expect(stat(join(dataDir, 'vkit.lock'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('serves one store of a process, and another once that is closed', async () => {
    const store = await open();
    await expect(open()).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(`process ${process.pid}`),
    });
    // The refused attempt must not have taken the lock away from the first.
    const other = startWriter(dataDir, 0);
    await other.printed(1);
    await other.kill();
    expect(other.lines).toEqual(['conflict']);
    await store.close();
    await (await open()).close();
  });

  it('is in use by the process that is named, and free as soon as that is killed', async () => {
    const writer = startWriter(dataDir, 0);
    try {
      await writer.printed(1);
      expect(writer.lines).toEqual(['ready']);
      await expect(open()).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining(`process ${writer.pid}`),
        details: { pid: writer.pid },
      });
      // The file only names the holder: without it, or with nonsense in it, the lock holds.
      await writeFile(join(dataDir, 'vkit.lock'), 'nonsense');
      await expect(open()).rejects.toMatchObject({ message: expect.stringContaining('another') });
      await rm(join(dataDir, 'vkit.lock'));
      await expect(open()).rejects.toMatchObject({ code: 'conflict' });
    } finally {
      await writer.kill();
    }
    const store = await open();
    expect(JSON.parse(await readFile(join(dataDir, 'vkit.lock'), 'utf8'))).toMatchObject({
      pid: process.pid,
    });
    await store.close();
  });

  it('has one holder when several processes start at once', async () => {
    const writers = Array.from({ length: 3 }, () => startWriter(dataDir, 0));
    await Promise.all(writers.map((writer) => writer.printed(1)));
    await Promise.all(writers.map((writer) => writer.kill()));
    expect(writers.map(({ lines }) => lines[0]).sort()).toEqual(['conflict', 'conflict', 'ready']);
  });

  it('that holds another thing under the name of the database is refused', async () => {
    await (await open()).close();
    await writeFile(
      join(dataDir, 'vkit.db'),
      'not a database, and long enough to look at'.repeat(99),
    );
    await expect(open()).rejects.toMatchObject({ code: 'unavailable' });
  });
});
