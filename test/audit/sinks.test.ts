import { appendFile, cp, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { signCheckpoint } from '../../src/audit/checkpoint.js';
import { MerkleTree } from '../../src/audit/merkle.js';
import { recordLine } from '../../src/audit/record-hash.js';
import type { SinkBatch, SinkPosition } from '../../src/audit/sinks/contract.js';
import { openSink } from '../../src/audit/sinks/index.js';
import { createCheckpointer } from '../../src/services/control/checkpoint-audit.js';
import { deliveryJob } from '../../src/services/control/deliver-audit.js';
import type { Store } from '../../src/store/model.js';
import { openStore } from '../../src/store/open-store.js';
import { sinkDependencies } from '../conformance/sink-grounds.js';
import { temporaryFolder } from '../helpers/temporary-folder.js';
import { chain, KEYS, SIGNER, signerOf } from './chain-fixture.js';

const signal = new AbortController().signal;

function batch(from: number, to: number, signer = SIGNER): SinkBatch {
  return chain(to, signer)
    .slice(from - 1)
    .map((record) => ({ kind: 'record', ...record, line: recordLine(record) }));
}

/** Of a sink that has the records up to one, of a log of so many. */
function at(seq: number, logSeq: number): SinkPosition {
  return { seq, hash: chain(seq).at(-1)?.hash ?? null, logSeq };
}

function checkpointAt(seq: number): SinkBatch[number] {
  const { hash = '', timestamp = '' } = chain(seq).at(-1) ?? {};
  return { kind: 'checkpoint', seq, hash, timestamp, line: `{"checkpoint":{"seq":${seq}}}` };
}

async function open(settings: object) {
  const folder = await temporaryFolder();
  const path = join(folder, 'audit.jsonl');
  const all = { name: 'x', ...settings, ...('url' in settings ? {} : { path }) };
  const { sink } = await openSink(all as never, sinkDependencies(join(folder, 'state')));
  onTestFinished(() => sink.close());
  return { sink, path, lines: async () => (await readFile(path, 'utf8')).split('\n').slice(0, -1) };
}

describe('the file of a sink', () => {
  it('loses the torn line that a killed process left, and gets it whole', async () => {
    const { sink, path, lines } = await open({ type: 'file' });
    const all = batch(1, 6);
    await sink.deliver(all.slice(0, 2), signal, at(0, 6));
    await appendFile(path, `${all[2]?.line}\n${all[3]?.line.slice(0, 50)}`);
    await sink.deliver(all.slice(2), signal, at(2, 6));
    expect(await lines()).toEqual(all.map(({ line }) => line));
  });

  it('takes no other log, whether that begins in the middle or is shorter', async () => {
    const { sink, path, lines } = await open({ type: 'file' });
    const text = batch(1, 300).map(({ line }) => `${line}\n`);
    await writeFile(path, text.join(''));
    const other = batch(299, 301, signerOf('audit-key', 'other'));
    const conflict = { code: 'conflict' };
    const changed = other.map((entry) => ({ ...entry, hash: 'f'.repeat(64) }));
    await expect(sink.deliver(changed, signal, at(298, 301))).rejects.toMatchObject(conflict);
    await expect(sink.deliver(batch(5, 9), signal, at(4, 400))).rejects.toMatchObject(conflict);
    expect(await lines()).toHaveLength(300);
  });

  it('ends with the record that is remembered, whatever checkpoints stand behind it', async () => {
    const { sink, path, lines } = await open({ type: 'file' });
    const text = [...batch(1, 8).map(({ line }) => line), checkpointAt(7).line];
    await writeFile(path, text.map((line) => `${line}\n`).join(''));
    const refused: [SinkBatch, SinkPosition, string][] = [
      [[checkpointAt(7)], at(7, 7), 'goes on to record 8, and the log of this server ends with 7'],
      [batch(8, 8), { ...at(7, 8), hash: 'f'.repeat(64) }, 'holds another record 7'],
      [batch(10, 10), at(9, 10), 'ends with record 8'],
    ];
    for (const [entries, position, message] of refused) {
      await expect(sink.deliver(entries, signal, position)).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringContaining(message),
      });
    }
    const other = batch(8, 8).map((entry) => ({ ...entry, hash: 'f'.repeat(64) }));
    await expect(sink.deliver(other, signal, at(7, 8))).rejects.toMatchObject({
      message: expect.stringContaining('holds another record 8'),
    });
    expect(await lines()).toEqual(text);
    await sink.deliver([checkpointAt(7), checkpointAt(8)], signal, at(8, 8));
    await sink.deliver(batch(8, 9), signal, at(7, 9));
    expect(await lines()).toEqual([...text, checkpointAt(8).line, batch(9, 9)[0]?.line]);
  });

  it('gets nothing from a server that was restored from a backup and goes another way', async () => {
    const { sink, lines } = await open({ type: 'file' });
    const folder = await temporaryFolder();
    const kind = { batchMax: 200, lingerSeconds: 0, isKept: true };
    const opened = { name: 'local', type: 'file', kind, sink } as const;
    const work = async (state: string, count: number) => {
      const dataDir = join(folder, state);
      const store = await openStore({ dataDir, signer: SIGNER, now: Date.now });
      const times = { now: Date.now, monotonic: () => performance.now(), random: () => 0 };
      const deliver = () => deliveryJob({ store, opened, ...times }).run(signal);
      try {
        for (let index = 0; index < count; index += 1) {
          const timestamp = '2026-03-01T10:00:00.000Z';
          await store.record({ event: 'login.succeeded', timestamp, metadata: { state, index } });
        }
        await deliver();
        const facts = { store, org: 'acme', signer: SIGNER, keys: KEYS, now: Date.now };
        await createCheckpointer({ ...facts, everyRecords: 1, everySeconds: 1 }).finish();
        await deliver();
        return (await store.auditSinks.list())[0]?.last_error ?? null;
      } finally {
        await store.close();
      }
    };
    expect(await work('state', 3)).toBeNull();
    await cp(join(folder, 'state'), join(folder, 'backup'), { recursive: true });
    expect(await work('state', 2)).toBeNull();
    const before = await lines();
    expect(before).toHaveLength(7);
    for (const count of [0, 1, 1, 3]) {
      const error = await work('backup', count);
      expect(count === 0 || error !== null).toBe(true);
      expect(await lines()).toEqual(before);
    }
  });
});

describe('the webhook of a sink', () => {
  it('follows no redirect', async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(async () => void server.close());
    const { port } = server.address() as AddressInfo;
    const { sink } = await open({ type: 'webhook', url: `http://127.0.0.1:${port}/events` });
    await expect(sink.deliver(batch(1, 1), signal, at(0, 1))).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('redirects are not followed'),
    });
    expect(asked).toEqual(['/events']);
  });

  it('is no address without TLS, with a login, or of a private network', async () => {
    const urls = ['http://siem.example.com/', 'https://a:b@siem.example.com/', 'https://10.0.0.7/'];
    for (const url of urls) {
      for (const type of ['webhook', 's3']) {
        const settings =
          type === 's3' ? { type, bucket: 'abc', endpoint: url, url } : { type, url };
        const error = await open(settings).catch((thrown) => thrown);
        expect(error).toMatchObject({ code: 'config_invalid' });
        expect(error.message).not.toContain('a:b');
      }
    }
  });
});

describe('the database of a sink', () => {
  it('has its password elsewhere than in the configuration, and is not dialled in a private network', async () => {
    const secret = open({ type: 'postgres', url: 'postgres://vkit:hunter2@127.0.0.1/test' });
    const error = await secret.catch((thrown) => thrown);
    expect([error.code, error.message.includes('hunter2')]).toEqual(['config_invalid', false]);
    const { sink } = await open({ type: 'postgres', url: 'postgres://vkit@10.0.0.7/test' });
    await expect(sink.deliver(batch(1, 1), signal, at(0, 1))).rejects.toMatchObject({
      code: 'address_refused',
    });
  });
});

describe('checkpoints', () => {
  it('go on being made when the clock was set back, and stop where the last one is not genuine', async () => {
    const dataDir = join(await temporaryFolder(), 'state');
    const store = await openStore({ dataDir, signer: SIGNER, now: Date.now });
    onTestFinished(() => store.close());
    let now = Date.parse('2026-03-01T10:00:00Z');
    const make = (keys = KEYS) =>
      createCheckpointer({
        ...{ store, org: 'acme', signer: SIGNER, keys, now: () => now },
        ...{ everyRecords: 100, everySeconds: 60 },
      }).run(signal);
    const append = () =>
      store.audit.append({ event: 'login.succeeded', timestamp: new Date(now).toISOString() });
    const last = async () => (await store.auditCheckpoints.last())?.seq;
    await append();
    await make();
    await append();
    now -= 30_000;
    await make();
    expect(await last()).toBe(1);
    now -= 3_600_000;
    await make();
    expect(await last()).toBe(2);
    await append();
    now -= 3_600_000;
    const refused = { code: 'audit_unavailable' };
    await expect(make(new Map())).rejects.toMatchObject(refused);
    // The end of the log is gone: nothing is signed on top of it, however long it grows again.
    await store.auditCheckpoints.insert({ ...(await checkpointOver(store, 5)), seq: 5 });
    await expect(make()).rejects.toMatchObject(refused);
    for (let index = 0; index < 4; index += 1) await append();
    now -= 3_600_000;
    await expect(make()).rejects.toMatchObject(refused);
    expect(await last()).toBe(5);
  });
});

/** A genuine checkpoint over other records than the log has. */
async function checkpointOver(store: Store, seq: number) {
  const tree = new MerkleTree();
  const records = chain(seq);
  for (const { hash } of records) tree.append(hash);
  const timestamp = (await store.auditCheckpoints.last())?.timestamp ?? '';
  const facts = {
    org: 'acme',
    seq,
    hash: records.at(-1)?.hash ?? '',
    root: tree.root(),
    timestamp,
  };
  const peaks = tree.peaks.map((peak) => peak.toString('hex'));
  return { timestamp, jws: signCheckpoint({ ...facts, peaks }, SIGNER) };
}
