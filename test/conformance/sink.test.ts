import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OpenedSink, openSink } from '../../src/audit/sinks/index.js';
import { createCheckpointer } from '../../src/services/control/checkpoint-audit.js';
import { deliveryJob } from '../../src/services/control/deliver-audit.js';
import { sinkLags } from '../../src/services/control/sink-lags.js';
import type { Store } from '../../src/store/model.js';
import { openStore } from '../../src/store/open-store.js';
import { KEYS, SIGNER } from '../audit/chain-fixture.js';
import { SINK_GROUNDS, type SinkGround, sinkDependencies } from './sink-grounds.js';

/** What every sink promises (src/audit/sinks/contract.ts), on a real place. */
for (const [type, prepare] of Object.entries(SINK_GROUNDS)) {
  describe(`the sink ${type}`, () => {
    let folder: string;
    let store: Store;
    let ground: SinkGround;
    let opened: OpenedSink;

    beforeEach(async ({ skip }) => {
      folder = await mkdtemp(join(tmpdir(), 'vkit-sink-'));
      const made = await prepare(folder);
      if (typeof made === 'string') return skip(made);
      ground = made;
      const dataDir = join(folder, 'state');
      store = await openStore({ dataDir, signer: SIGNER, now: Date.now });
      opened = await openSink(ground.settings, sinkDependencies(dataDir));
    });

    afterEach(async () => {
      await opened?.sink.close();
      await store?.close();
      await ground?.close();
      await rm(folder, { recursive: true, force: true });
    });

    const append = async (count: number, timestamp = '2026-03-01T10:00:00.000Z') => {
      for (let index = 0; index < count; index += 1) {
        await store.record({ event: 'login.succeeded', timestamp, metadata: { index } });
      }
    };
    const checkpoint = () =>
      createCheckpointer({
        store,
        org: 'acme',
        signer: SIGNER,
        keys: KEYS,
        now: Date.now,
        everyRecords: 1,
        everySeconds: 1,
      }).finish();
    const job = (change: Partial<Parameters<typeof deliveryJob>[0]> = {}) =>
      deliveryJob({
        store,
        opened,
        now: Date.now,
        monotonic: () => performance.now(),
        random: () => 0,
        backoffMinMs: 0,
        ...change,
      });
    const signal = new AbortController().signal;
    const logged = async () =>
      (await store.audit.lines({ order: 'asc', limit: 5_000 })).map(({ line }) => line);
    const records = async () =>
      (await ground.received()).filter((line) => !line.startsWith('{"checkpoint":'));

    it('gets every record and every checkpoint, in order and as they were signed', async () => {
      await append(230);
      await checkpoint();
      await append(20);
      await job().run(signal);
      await checkpoint();
      await job().run(signal);
      expect(await records()).toEqual(await logged());
      const received = await ground.received();
      const checkpoints = received.filter((line) => line.startsWith('{"checkpoint":'));
      const signed = checkpoints.map((line) => JSON.parse(line).checkpoint.jws).sort();
      const kept = await store.auditCheckpoints.list({ order: 'asc', limit: 10 });
      expect(signed).toEqual(kept.map(({ jws }) => jws).sort());
      expect(await sinkLags(store, Date.now())).toMatchObject([
        { records: 0, seconds: 0, failures: 0 },
      ]);
    });

    it('says how far behind it is while its place is down, and loses nothing', async () => {
      const work = job();
      await append(3);
      await work.run(signal);
      await ground.breakDown();
      await append(5, new Date(Date.now() - 60_000).toISOString());
      await work.run(signal);
      await work.run(signal);
      const [lag] = await sinkLags(store, Date.now());
      expect(lag).toMatchObject({
        seq: 3,
        records: 5,
        failures: 2,
        last_error: expect.any(String),
      });
      expect(lag?.seconds).toBeGreaterThanOrEqual(60);
      await ground.mend();
      await work.run(signal);
      expect(await records()).toEqual(await logged());
      expect(await sinkLags(store, Date.now())).toMatchObject([{ records: 0, last_error: null }]);
    });

    it('goes on after it was cut off before it could remember, and loses nothing', async () => {
      await append(10);
      await checkpoint();
      const forgetful: Pick<Store, 'audit' | 'auditCheckpoints' | 'auditSinks'> = {
        audit: store.audit,
        auditCheckpoints: store.auditCheckpoints,
        auditSinks: { ...store.auditSinks, advance: async () => false },
      };
      await job({ store: forgetful }).run(signal);
      expect(await records()).toEqual(await logged());
      await append(5);
      await job().run(signal);
      const there = await records();
      expect([...new Set(there)]).toEqual(await logged());
      if (ground.recognises) expect(there).toEqual(await logged());
    });
  });
}

describe('a sink that is down', () => {
  it('is tried ever more seldom, and holds up no other', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vkit-sink-'));
    const store = await openStore({ dataDir: folder, signer: SIGNER, now: Date.now });
    try {
      let clock = 0;
      const attempts: number[] = [];
      const kind = { batchMax: 10, lingerSeconds: 0, isKept: true };
      const broken: OpenedSink = {
        name: 'broken',
        type: 'webhook',
        kind,
        sink: {
          deliver: async () => {
            attempts.push(clock);
            throw new Error('secret of somebody');
          },
          close: async () => undefined,
        },
      };
      const got: string[] = [];
      const well: OpenedSink = {
        name: 'well',
        type: 'file',
        kind,
        sink: {
          deliver: async (batch) => void got.push(...batch.map(({ line }) => line)),
          close: async () => undefined,
        },
      };
      const options = { store, now: Date.now, monotonic: () => clock, random: () => 0 };
      const jobs = [broken, well].map((opened) => deliveryJob({ ...options, opened }));
      const timestamp = new Date().toISOString();
      for (let index = 0; index < 25; index += 1) {
        await store.record({ event: 'login.succeeded', timestamp });
      }
      for (clock = 0; clock < 60_000; clock += 100) {
        for (const { run } of jobs) await run(new AbortController().signal);
      }
      expect(got).toHaveLength(25);
      const waits = attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0));
      expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000]);
      const [lag] = await sinkLags(store, Date.now(), ['broken']);
      // What somebody else threw is not repeated: it can hold anything.
      expect(lag).toMatchObject({ records: 25, last_error: 'It could not be delivered.' });
    } finally {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
