import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Checkpoint,
  decodeCheckpoint,
  inspectCheckpoint,
  signCheckpoint,
} from '../../src/audit/checkpoint.js';
import type { CheckpointFacts } from '../../src/audit/compare-checkpoints.js';
import { MerkleTree } from '../../src/audit/merkle.js';
import type { AuditRecord } from '../../src/audit/model.js';
import { canonicalText } from '../../src/audit/record-hash.js';
import { sealRecord } from '../../src/audit/seal-record.js';
import { verifyChain } from '../../src/audit/verify-chain.js';
import { chain, event, KEYS, SIGNER, signerOf } from './chain-fixture.js';

const LOG = chain(12);

/** The checkpoint over the first `count` records. */
function over(records: readonly AuditRecord[], count: number): Checkpoint {
  const tree = new MerkleTree();
  for (const { hash } of records.slice(0, count)) tree.append(hash);
  return {
    org: 'acme',
    seq: count,
    hash: records[count - 1]?.hash ?? '',
    root: tree.root(),
    peaks: tree.peaks.map((peak) => peak.toString('hex')),
    timestamp: `2026-03-01T11:00:${String(count).padStart(2, '0')}.000Z`,
  };
}

const verify = (records: readonly unknown[], checkpoints: readonly CheckpointFacts[]) =>
  verifyChain(records, { keys: KEYS, checkpoints });

describe('a checkpoint', () => {
  const signed = signCheckpoint(over(LOG, 7), SIGNER);

  it('comes back as it was signed', () => {
    expect(inspectCheckpoint(signed, KEYS)).toEqual({ genuine: true, checkpoint: over(LOG, 7) });
    expect(decodeCheckpoint(signed)).toEqual(over(LOG, 7));
  });

  it('does not verify with one character changed anywhere', () => {
    fc.assert(
      fc.property(
        fc.nat(signed.length - 1),
        fc.constantFrom('A', 'b', '7', '_', '.'),
        (at, other) => {
          const changed = signed.slice(0, at) + other + signed.slice(at + 1);
          expect(inspectCheckpoint(changed, KEYS).genuine).toBe(changed === signed);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is not taken from another key, for another purpose, or with a root that is not that of its peaks', () => {
    const refused = (jws: unknown) => expect(inspectCheckpoint(jws, KEYS).genuine).toBe(false);
    refused(signCheckpoint(over(LOG, 7), signerOf('other', 'other')));
    refused(signCheckpoint(over(LOG, 7), signerOf('audit-key', 'other')));
    refused(signCheckpoint({ ...over(LOG, 7), root: over(LOG, 6).root }, SIGNER));
    refused(signCheckpoint({ ...over(LOG, 7), seq: 6 }, SIGNER));
    refused(signCheckpoint({ ...over(LOG, 7), peaks: [] }, SIGNER));
    // What the same key signs as a record has another typ.
    const encoded = (value: object) => Buffer.from(canonicalText(value)).toString('base64url');
    const asRecord = `${encoded({ alg: 'EdDSA', kid: 'audit-key', typ: 'vkit-audit' })}.${encoded(over(LOG, 7))}`;
    refused(`${asRecord}.${Buffer.from(SIGNER.sign(Buffer.from(asRecord))).toString('base64url')}`);
    refused(`${signed.split('.')[0]}..${signed.split('.')[2]}`);
    for (const nothing of [undefined, null, 7, '', '..', 'a.b.c']) refused(nothing);
  });
});

describe('a log against checkpoints that were kept elsewhere', () => {
  it('verifies where it agrees with each, and says how far', async () => {
    const verdict = await verify(LOG, [over(LOG, 8), over(LOG, 3)]);
    expect(verdict).toMatchObject({
      ok: true,
      count: 12,
      checkpoints: { matched: 2, last: { seq: 8 } },
    });
    expect(await verify(LOG, [over(LOG, 12)])).toMatchObject({ ok: true });
  });

  it('shows that its end was cut off, however it was cut', async () => {
    for (let left = 0; left < 12; left += 1) {
      const verdict = await verify(LOG.slice(0, left), [over(LOG, 3), over(LOG, 12)]);
      expect(verdict).toMatchObject({ ok: false, problem: { seq: left + 1, kind: 'truncated' } });
    }
  });

  it('shows that it was rewritten whole with the right key, and up to where it was not', async () => {
    const rewritten = [...LOG.slice(0, 5)];
    for (let index = 6; index <= 12; index += 1) {
      const change = index === 6 ? { event: 'query.refused' } : {};
      const input = {
        previous: rewritten.at(-1) ?? null,
        auditId: `audit_${index}`,
        signer: SIGNER,
      };
      rewritten.push(sealRecord(event(index, change), input).record);
    }
    expect(await verifyChain(rewritten, { keys: KEYS })).toMatchObject({ ok: true });
    const verdict = await verify(rewritten, [over(LOG, 4), over(LOG, 9)]);
    expect(verdict).toMatchObject({ ok: false, count: 4, problem: { seq: 9, kind: 'rewritten' } });
    expect(verdict.problem?.message).toContain('up to record 4 it is as it was');
    // A record that was kept stands for a checkpoint without a root.
    const { seq, hash, timestamp } = LOG[8] as AuditRecord;
    const kept = { seq, hash, timestamp, root: null };
    expect(await verify(rewritten, [kept])).toMatchObject({ problem: { kind: 'rewritten' } });
    expect(await verify(LOG, [kept])).toMatchObject({ ok: true });
  });

  it('is compared by the root too, not by the last hash alone', async () => {
    const other = { ...over(LOG, 9), root: over(LOG, 8).root };
    expect(await verify(LOG, [other])).toMatchObject({ problem: { seq: 9, kind: 'rewritten' } });
  });

  it('whose beginning was removed verifies from a checkpoint on, if a record of it says so', async () => {
    const rest = LOG.slice(4);
    const removal = (up_to_seq: number) => {
      const input = { previous: rest.at(-1) ?? null, auditId: 'audit_13', signer: SIGNER };
      return sealRecord(
        event(13, { event: 'audit.records_removed', metadata: { up_to_seq } }),
        input,
      ).record;
    };
    expect(await verify([...rest, removal(4)], [over(LOG, 4), over(LOG, 9)])).toMatchObject({
      ok: true,
      begins_after: { seq: 4 },
      checkpoints: { matched: 1 },
    });
    // Cut off by somebody else, or further than what is said.
    for (const records of [rest, [...rest, removal(3)], [...rest.slice(1), removal(4)]]) {
      const verdict = await verify(records, [over(LOG, 4), over(LOG, 5)]);
      expect(verdict).toMatchObject({ ok: false, problem: { kind: 'removed' } });
    }
    expect(await verify([...rest, removal(4)], [over(LOG, 9)])).toMatchObject({
      ok: false,
      problem: { seq: 1, kind: 'removed' },
    });
  });

  it('names the record that was changed, removed, inserted or moved, wherever that was', async () => {
    const kinds = { change: 'changed', remove: 'removed', insert: 'inserted', move: 'reordered' };
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...(Object.keys(kinds) as (keyof typeof kinds)[])),
        fc.integer({ min: 0, max: 10 }),
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        async (how, at, distance, isCompared) => {
          const records: AuditRecord[] = [...LOG];
          const record = records[at] as AuditRecord;
          const to = Math.min(11, at + distance);
          if (how === 'change') records[at] = { ...record, event: `${record.event}!` };
          if (how === 'remove') records.splice(at, 1);
          if (how === 'insert') records.splice(at, 0, { ...record, event: 'user.created' });
          if (how === 'move') records.splice(to, 0, ...records.splice(at, 1));
          const checkpoints = isCompared ? [over(LOG, 6), over(LOG, 12)] : [];
          const { ok, problem, count } = await verify(records, checkpoints);
          expect([ok, problem?.seq, problem?.kind, count]).toEqual([false, at + 1, kinds[how], at]);
        },
      ),
      { numRuns: 200 },
    );
  });
});
