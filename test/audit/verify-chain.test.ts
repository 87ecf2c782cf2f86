import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AuditRecord } from '../../src/audit/model.js';
import { recordHash } from '../../src/audit/record-hash.js';
import { sealRecord } from '../../src/audit/seal-record.js';
import { verifyChain, verifyExport } from '../../src/audit/verify-chain.js';
import { chain, event, exported, KEYS, SIGNER, signerOf } from './chain-fixture.js';

const LOG = chain(8);
const options = { keys: KEYS };

function at(index: number): AuditRecord {
  const record = LOG[index];
  if (record === undefined) throw new Error(`The log has no record at ${index}.`);
  return record;
}

function replaced(index: number, record: unknown): unknown[] {
  return LOG.map((old, place) => (place === index ? record : old));
}

describe('a whole log', () => {
  it('verifies, and says where it ends', async () => {
    expect(await verifyChain(LOG, options)).toEqual({
      ok: true,
      count: 8,
      first: { seq: 1, hash: at(0).hash },
      last: { seq: 8, hash: at(7).hash },
    });
    expect(await verifyChain([], options)).toMatchObject({ ok: true, count: 0, last: null });
  });

  it('verifies as a part when the record before it is known, or trusted', async () => {
    const from = { seq: 3, hash: at(2).hash };
    expect(await verifyChain(LOG.slice(3), { ...options, from })).toMatchObject({ ok: true });
    expect(await verifyChain(LOG.slice(3), { ...options, from: 'anywhere' })).toMatchObject({
      ok: true,
      first: { seq: 4 },
    });
    const wrong = { seq: 3, hash: 'f'.repeat(64) };
    expect(await verifyChain(LOG.slice(3), { ...options, from: wrong })).toMatchObject({
      ok: false,
      problem: { seq: 4, kind: 'changed' },
    });
  });
});

describe('a record that was changed', () => {
  it.each([
    ['in its content', { timestamp: '2026-03-01T11:00:00.000Z' }, 'changed'],
    ['in its number', { seq: 9 }, 'changed'],
    ['by a new part', { correlation_id: 'x' }, 'changed'],
    ['in its hash', { hash: 'f'.repeat(64) }, 'changed'],
    ['in the hash of its predecessor', { prev_hash: 'f'.repeat(64) }, 'changed'],
    ['by the signature of its neighbour', { signature: at(2).signature }, 'signature'],
    ['by having no signature', { signature: '' }, 'signature'],
    ['by losing its id', { audit_id: 7 }, 'malformed'],
  ])('%s is named', async (_name, change, kind) => {
    const verdict = await verifyChain(replaced(3, { ...at(3), ...change }), options);
    expect(verdict).toMatchObject({ ok: false, count: 3, problem: { seq: 4, position: 4, kind } });
    if (kind !== 'malformed') expect(verdict.problem?.audit_id).toBe('audit_4');
  });

  it('and hashed anew is named by its signature', async () => {
    const changed = { ...at(3), event: 'query.nothing' };
    const rehashed = { ...changed, hash: recordHash(changed) };
    expect(await verifyChain(replaced(3, rehashed), options)).toMatchObject({
      problem: { seq: 4, audit_id: 'audit_4', kind: 'signature' },
    });
  });

  it('and signed with a key of the same name but another owner is named', async () => {
    const stranger = signerOf('audit-key', 'stranger');
    const { record: forged } = sealRecord(event(4), {
      previous: at(2),
      auditId: 'audit_4',
      signer: stranger,
    });
    expect(await verifyChain(replaced(3, forged), options)).toMatchObject({
      problem: { seq: 4, kind: 'signature', message: expect.stringContaining('does not verify') },
    });
    const unknown = signerOf('unknown-key', 'stranger');
    const { record: other } = sealRecord(event(4), {
      previous: at(2),
      auditId: 'audit_4',
      signer: unknown,
    });
    expect(await verifyChain(replaced(3, other), options)).toMatchObject({
      problem: { seq: 4, kind: 'signature', message: expect.stringContaining('unknown-key') },
    });
  });

  it('and signed anew with the true key breaks the chain at the record after it', async () => {
    const previous = { seq: 3, hash: at(2).hash };
    const { record: rewritten } = sealRecord(event(99), {
      previous,
      auditId: 'audit_4',
      signer: SIGNER,
    });
    expect(await verifyChain(replaced(3, rewritten), options)).toMatchObject({
      count: 4,
      problem: { seq: 5, audit_id: 'audit_5', kind: 'changed' },
    });
  });
});

describe('records that were removed', () => {
  it.each([
    ['the first', 0, 1, 1],
    ['one in the middle', 3, 1, 4],
    ['several', 2, 3, 3],
  ])('%s: the first missing one is named', async (_name, start, count, seq) => {
    const log = LOG.toSpliced(start, count);
    const { problem } = await verifyChain(log, options);
    expect(problem).toMatchObject({ seq, kind: 'removed', position: start + 1 });
    expect(problem).not.toHaveProperty('audit_id');
  });

  it('at the end leave a whole chain, which a checkpoint shows to be short', async () => {
    expect(await verifyChain(LOG.slice(0, 5), options)).toMatchObject({
      ok: true,
      last: { seq: 5 },
    });
  });
});

describe('a record that was inserted', () => {
  it.each([
    ['a copy of an earlier one', 5, () => at(1), 2, 'audit_2'],
    ['a copy of the one before', 5, () => at(4), 5, 'audit_5'],
    ['a copy of a later one', 2, () => at(6), 7, 'audit_7'],
  ])('%s is named', async (_name, index, copy, seq, audit_id) => {
    const log = LOG.toSpliced(index, 0, copy());
    const { problem } = await verifyChain(log, options);
    expect(problem).toMatchObject({ seq, audit_id, kind: 'inserted', position: index + 1 });
  });

  it('a forged one is named', async () => {
    const signer = signerOf('audit-key', 'stranger');
    const previous = { seq: 4, hash: at(3).hash };
    const { record: forged } = sealRecord(event(5), {
      previous,
      auditId: 'audit_forged',
      signer,
    });
    const { problem } = await verifyChain(LOG.toSpliced(4, 0, forged), options);
    expect(problem).toMatchObject({ seq: 5, audit_id: 'audit_forged', kind: 'inserted' });
  });

  it('one of another log under the same key is named', async () => {
    const foreign = chain(5, SIGNER).map((record, index) =>
      index === 4
        ? sealRecord(event(50), { previous: null, auditId: 'audit_x', signer: SIGNER }).record
        : record,
    );
    const log = LOG.toSpliced(4, 0, foreign[4] as AuditRecord);
    const { problem } = await verifyChain(log, options);
    expect(problem).toMatchObject({ seq: 1, audit_id: 'audit_x', kind: 'inserted', position: 5 });
  });
});

describe('records that were reordered', () => {
  it.each([
    ['two neighbours', [0, 1, 3, 2, 4, 5, 6, 7], 3],
    ['the first two', [1, 0, 2, 3, 4, 5, 6, 7], 1],
    ['two far apart', [0, 6, 2, 3, 4, 5, 1, 7], 2],
    ['one moved back', [0, 2, 3, 4, 5, 1, 6, 7], 2],
  ])(
    '%s: the first number that does not stand in its place is named',
    async (_name, order, seq) => {
      const { problem } = await verifyChain(order.map(at), options);
      expect(problem).toMatchObject({
        seq,
        audit_id: `audit_${seq}`,
        kind: 'reordered',
        position: seq,
      });
    },
  );
});

describe('an exported file', () => {
  const file = exported(LOG);
  const lineEnds = [...file.entries()].flatMap(([index, byte]) => (byte === 10 ? [index] : []));

  it('verifies in chunks of any size', async () => {
    for (const size of [1, 7, 1000, file.length]) {
      const chunks = [];
      for (let start = 0; start < file.length; start += size) {
        chunks.push(file.subarray(start, start + size));
      }
      expect(await verifyExport(chunks, options)).toMatchObject({ ok: true, count: 8 });
    }
  });

  it('with one byte changed anywhere is found broken at the record of that byte', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(file.length - 2),
        fc.integer({ min: 1, max: 255 }),
        async (byte, xor) => {
          const copy = Buffer.from(file);
          copy[byte] = (copy[byte] ?? 0) ^ xor;
          const line = lineEnds.filter((end) => end < byte).length + 1;
          const { ok, problem } = await verifyExport([copy], options);
          expect(ok).toBe(false);
          // A changed line feed joins two lines, and a new one cuts a line in two: the first of both is named.
          expect(problem?.position).toBe(line);
          expect(problem?.seq).toBe(line);
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each([
    ['a byte order mark', (text: string) => `\ufeff${text}`],
    ['spaces', (text: string) => text.replace('{', '{ ')],
    ['a key given twice', (text: string) => text.replace('{', '{"event":"request.granted",')],
    ['carriage returns', (text: string) => text.replaceAll('\n', '\r\n')],
    ['an empty line', (text: string) => `\n${text}`],
    ['a line that is no object', (text: string) => `null\n${text}`],
    ['a line nested without end', (text: string) => `${'['.repeat(200_000)}\n${text}`],
    ['a line without end', (text: string) => `${'x'.repeat(300_000)}\n${text}`],
  ])('with %s added is not the file that was exported', async (_name, change) => {
    const copy = Buffer.from(change(file.toString('utf8')));
    const { ok, problem } = await verifyExport([copy], options);
    expect(ok).toBe(false);
    expect(problem?.position).toBe(1);
  });

  it('keeps line separators that are part of a text', async () => {
    const { record } = sealRecord(event(1, { metadata: { note: 'a\u2028b\u2029c' } }), {
      previous: null,
      auditId: 'audit_1',
      signer: SIGNER,
    });
    expect(await verifyExport([exported([record])], options)).toMatchObject({ ok: true, count: 1 });
  });
});
