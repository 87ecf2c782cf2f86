import { createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { inspectCheckpoint, signCheckpoint } from '../../src/audit/checkpoint.js';
import { leafHash, MerkleTree } from '../../src/audit/merkle.js';
import type { AuditEvent, AuditRecord } from '../../src/audit/model.js';
import { canonicalText } from '../../src/audit/record-hash.js';
import { sealRecord } from '../../src/audit/seal-record.js';
import vectors from '../cases/audit/vectors.json' with { type: 'json' };
import { KEYS, SIGNER } from './chain-fixture.js';

const PUBLIC_KEY = createPublicKey({
  format: 'jwk',
  key: { kty: 'OKP', crv: 'Ed25519', x: vectors.public_key },
});

describe('the vectors of the audit log', () => {
  it('are what records, their hashes and the Merkle roots over them still are', () => {
    const tree = new MerkleTree();
    let previous: AuditRecord | null = null;
    for (const { event, audit_id, canonical, hash, signature, leaf, root } of vectors.records) {
      const sealed = sealRecord(event as AuditEvent, {
        previous,
        auditId: audit_id,
        signer: SIGNER,
      });
      previous = sealed.record;
      const { hash: _hash, signature: _signature, ...content } = previous;
      tree.append(hash);
      expect([canonicalText(content), previous.hash, previous.signature]).toEqual([
        canonical,
        hash,
        signature,
      ]);
      expect([leafHash(hash).toString('hex'), tree.root()]).toEqual([leaf, root]);
    }
  });

  it('are signed so that any JWS library verifies them', () => {
    for (const { hash, signature } of vectors.records) {
      const [header, , tail] = signature.split('.');
      const input = `${header}.${Buffer.from(hash).toString('base64url')}`;
      const bytes = Buffer.from(tail ?? '', 'base64url');
      expect(verify(null, Buffer.from(input), PUBLIC_KEY, bytes)).toBe(true);
    }
    const { jws, ...checkpoint } = vectors.checkpoint;
    expect(signCheckpoint(checkpoint, SIGNER)).toBe(jws);
    expect(inspectCheckpoint(jws, KEYS)).toEqual({ genuine: true, checkpoint });
    const header = JSON.parse(Buffer.from(jws.split('.')[0] ?? '', 'base64url').toString());
    expect(header).toEqual({ alg: 'EdDSA', kid: vectors.kid, typ: 'vkit-audit-checkpoint' });
  });
});
