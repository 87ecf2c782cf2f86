import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import type { AuditEvent, AuditRecord } from '../../src/audit/model.js';
import { recordLine } from '../../src/audit/record-hash.js';
import { type AuditSigner, sealRecord } from '../../src/audit/seal-record.js';

/** An Ed25519 key from a fixed seed (RFC 8410's PKCS #8 prefix and 32 bytes), so that golden signatures stay. */
export function fixedKey(name: string) {
  const seed = createHash('sha256').update(name).digest();
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

export function signerOf(kid: string, name: string): AuditSigner {
  const { privateKey } = fixedKey(name);
  return { kid, sign: (data) => sign(null, data, privateKey) };
}

export const SIGNER = signerOf('audit-key', 'audit');
export const KEYS = new Map([['audit-key', fixedKey('audit').publicKey]]);

export function event(index: number, change: Partial<AuditEvent> = {}): AuditEvent {
  return {
    event: 'query.executed',
    timestamp: new Date(Date.UTC(2026, 2, 1, 10, 0, index)).toISOString(),
    requester: { user_id: 'usr_ann', email: 'ann@example.com', role: 'analyst', kind: 'user' },
    execution: { execution_time_ms: 12, rows_returned: index },
    ...change,
  };
}

/** A log of `count` records, `audit_1` to `audit_<count>`. */
export function chain(count: number, signer: AuditSigner = SIGNER): AuditRecord[] {
  const records: AuditRecord[] = [];
  for (let index = 1; index <= count; index += 1) {
    const previous = records.at(-1) ?? null;
    records.push(sealRecord(event(index), { previous, auditId: `audit_${index}`, signer }).record);
  }
  return records;
}

export function exported(records: readonly AuditRecord[]): Buffer {
  return Buffer.from(records.map((record) => `${recordLine(record)}\n`).join(''));
}
