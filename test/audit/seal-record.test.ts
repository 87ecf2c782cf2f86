import { createHash } from 'node:crypto';
import { compactVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import type { AuditEvent } from '../../src/audit/model.js';
import { recordHash, recordLine } from '../../src/audit/record-hash.js';
import { RECORD_BYTES_MAX, sealRecord } from '../../src/audit/seal-record.js';
import { verifyChain } from '../../src/audit/verify-chain.js';
import { chain, event, fixedKey, KEYS, SIGNER } from './chain-fixture.js';

const SEAL = { previous: null, auditId: 'audit_1', signer: SIGNER };

describe('the canonical form', () => {
  it('is the one written down here, byte by byte', () => {
    const { record, line } = sealRecord(
      {
        event: 'request.denied',
        timestamp: '2026-03-01T10:00:00.123Z',
        requester: { user_id: 'usr_1', role: 'analyst', clearance_level: 2, kind: 'user' },
        metadata: { z: null, 10: true, 9: 1e21, é: '€"\\\u2028\u0007', a: -0, b: 0.1 },
      },
      { ...SEAL, previous: { seq: 4710, hash: 'ab'.repeat(32) } },
    );
    const canonical =
      '{"audit_id":"audit_1","event":"request.denied",' +
      '"metadata":{"10":true,"9":1e+21,"a":0,"b":0.1,"z":null,"é":"€\\"\\\\\u2028\\u0007"},' +
      `"prev_hash":"${'ab'.repeat(32)}",` +
      '"requester":{"clearance_level":2,"kind":"user","role":"analyst","user_id":"usr_1"},' +
      '"seq":4711,"timestamp":"2026-03-01T10:00:00.123Z"}';
    expect(record.hash).toBe(createHash('sha256').update(canonical, 'utf8').digest('hex'));
    const { signature } = record;
    const whole = canonical
      .replace('"metadata"', `"hash":"${record.hash}","metadata"`)
      .replace('"timestamp"', `"signature":"${signature}","timestamp"`);
    expect(recordLine(record)).toBe(whole);
    expect(line).toBe(whole);
  });

  it('keeps the hashes of a whole log from one version of vkit to the next', () => {
    expect(chain(3).map(({ hash }) => hash)).toMatchInlineSnapshot(`
      [
        "d2f3653775b8c280f9f5daf6732020c13c8ef50035dd1e4f1665a16239e9a0e3",
        "24688e2af3b3a238b91b49dee202157d2f300ceda888d9e57966d7fb8cdf647a",
        "d57e87e9c74111b659bbb8593849e41df6bc16d49d7066326b699755678057b8",
      ]
    `);
  });
});

describe('a sealed record', () => {
  it('has a signature that jose verifies as a JWS with detached payload', async () => {
    const { record } = sealRecord(event(1), SEAL);
    const payload = Buffer.from(record.hash, 'ascii').toString('base64url');
    const verified = await compactVerify(
      record.signature.replace('..', `.${payload}.`),
      fixedKey('audit').publicKey,
    );
    expect(verified.protectedHeader).toEqual({ alg: 'EdDSA', kid: 'audit-key', typ: 'vkit-audit' });
  });

  it('is what its line parses to, without undefined parts and with clean text', async () => {
    const { record, line } = sealRecord(
      { ...event(1), of: undefined, metadata: { note: 'a\ud800b\0c' } } as unknown as AuditEvent,
      SEAL,
    );
    expect(line).toBe(recordLine(record));
    expect(JSON.parse(line)).toEqual(record);
    expect(record.hash).toBe(recordHash(record));
    expect('of' in record).toBe(false);
    expect(record.metadata?.note).toBe('a\ufffdb\ufffdc');
    expect(await verifyChain([record], { keys: KEYS })).toMatchObject({ ok: true });
  });

  it('takes its own parts from the log and not from the event', () => {
    const forged = { ...event(1), seq: 77, hash: 'x', signature: 'y', audit_id: 'audit_z' };
    const { record, line } = sealRecord(forged, SEAL);
    expect(line).toBe(recordLine(record));
    expect(record).toMatchObject({ seq: 1, audit_id: 'audit_1', prev_hash: '0'.repeat(64) });
    expect(record.hash).toBe(recordHash(record));
  });

  it('is refused when it is too large or has no JSON form', () => {
    const large = { note: 'x'.repeat(RECORD_BYTES_MAX) };
    expect(() => sealRecord({ ...event(1), metadata: large }, SEAL)).toThrow(
      expect.objectContaining({ code: 'limit_exceeded' }),
    );
    expect(() => sealRecord({ ...event(1), metadata: { n: Number.NaN } }, SEAL)).toThrow(
      expect.objectContaining({ code: 'audit_unavailable' }),
    );
  });
});
